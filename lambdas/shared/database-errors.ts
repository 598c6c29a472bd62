import { DatabaseLoginRefused, DatabaseResuming, DatabaseUnreachable } from './errors.ts';

const unreachable = (how: string, cause: unknown) =>
  new DatabaseUnreachable(
    `The database does not answer ${how}: ${words(cause)}. Nothing was changed by this attempt. It is tried again; if ` +
      'it stays so, look whether the database is running and whether its security group admits the functions.',
  );

/** Neither the driver's words nor the server's are quoted: they may name the user. */
const loginRefused = () =>
  new DatabaseLoginRefused(
    'The database does not accept the user and password of its secret. Nothing was changed by this attempt. Look whether ' +
      'the secret was rotated or edited without the database, set one to the other, and start the rollout again.',
  );

/** Names of the Data API's errors that pass by themselves. A SQL error (DatabaseErrorException) does not. */
const passing = new Set([
  // Between its two names, while the database goes back.
  'DatabaseNotFoundException',
  'DatabaseUnavailableException',
  'ServiceUnavailableError',
  'InternalServerErrorException',
  'InternalServerError',
  'InvalidResourceStateException',
  'ThrottlingException',
  'TimeoutError',
]);

/** @returns the error that the state machine knows, or the same error when waiting would not help */
export function fromDataApi(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'DatabaseResumingException') {
    return new DatabaseResuming('The database is starting again after its pause (about 15 s). It is tried again.');
  }
  if (
    error.name === 'InvalidSecretException' ||
    /password authentication failed|access denied for user/i.test(error.message)
  ) {
    return loginRefused();
  }
  const lostConnection = error.name === 'BadRequestException' && /communications? link failure/i.test(error.message);
  const code = (error as { code?: unknown }).code;
  const state = sqlStateOf(error);
  if (passing.has(error.name) || passingState.test(state) || lostConnection || networkCodes.has(String(code))) {
    return unreachable('through the RDS Data API', error);
  }
  return error;
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
]);

/** SQLSTATE 28P01 invalid password, 28000 invalid authorization (MySQL: access denied). */
const refusedLogin = /^28(P01|000)$/;

/**
 * SQLSTATE classes: 08 connection (MySQL: too many connections, shutting down), 57P01-57P03 shutting down or starting up,
 * 53300 too many connections, 40 rolled back because another transaction was in the way.
 */
const passingState = /^(08...|57P0[123]|53300|40...)$/;

/** @returns the error that the state machine knows, or the same error when waiting would not help */
export function fromPostgres(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return fromPostgres(error.errors[0]);
  const code = String((error as { code?: unknown }).code ?? '');
  if (refusedLogin.test(code)) return loginRefused();
  const gone = /connection terminated|timeout expired|timeout exceeded|query read timeout/i.test(error.message);
  if (networkCodes.has(code) || passingState.test(code) || gone) return unreachable('on its port', error);
  return error;
}

/** MySQL has no SQLSTATE of its own for these: a lock was waited for too long; the server or the connection went. */
const passingCodes = new Set([
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
]);

/** @returns the error that the state machine knows, or the same error when waiting would not help */
export function fromMysql(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, sqlState = '' } = error as { code?: unknown; sqlState?: string };
  if (refusedLogin.test(sqlState)) return loginRefused();
  // What the driver says of a connection that it or the server has closed has no code.
  const gone = /connection is in closed state|connection lost|closed the connection/i.test(error.message);
  if (networkCodes.has(String(code)) || passingCodes.has(String(code)) || passingState.test(sqlState) || gone) {
    return unreachable('on its port', error);
  }
  return error;
}

function words(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message ? cause.message.replace(/[.\s]+$/, '') : cause.name;
}

/**
 * Whether a statement named a table that is not there: SQLSTATE 42P01, MySQL 42S02. The drivers have the state in a
 * member, the Data API writes it, or MySQL's number, into its message.
 */
export function isMissingTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^42(P01|S02)$/.test(sqlStateOf(error)) || /error code: 1146\b/i.test(error.message);
}

/** Whether the schema is not there, or is from before a column of it: SQLSTATE 42703, MySQL 42S22. */
export function isMissingPart(error: unknown): boolean {
  if (isMissingTable(error)) return true;
  return (
    error instanceof Error && (/^42(703|S22)$/.test(sqlStateOf(error)) || /error code: 1054\b/i.test(error.message))
  );
}

function sqlStateOf(error: Error): string {
  const { code, sqlState } = error as { code?: unknown; sqlState?: string };
  return error.message.match(/SQLState: (\w{5})/)?.[1] ?? sqlState ?? String(code ?? '');
}
