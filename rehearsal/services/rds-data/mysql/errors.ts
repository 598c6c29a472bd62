import { AwsError } from '../../../endpoint/service.ts';

interface ServerError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
}

/** A failure of MySQL or of the way to it, as the Data API words it. */
export function errorOf(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const { code, message, sqlState } = error as ServerError;
  if (code === 'ER_ACCESS_DENIED_ERROR') return new AwsError('InvalidSecretException', message);
  if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') return new AwsError('StatementTimeoutException', 'Request timed out');
  if (sqlState === undefined) {
    return new AwsError('DatabaseUnavailableException', `The database cannot be reached: ${message || code}`, 504);
  }
  return new AwsError('DatabaseErrorException', `${message}; SQLState: ${sqlState}`);
}
