import pg from 'pg';
import { AwsError } from '../../../endpoint/service.ts';

/** PostgreSQL's SQLSTATE values that the Data API has exceptions of its own for. */
const QUERY_CANCELED = '57014';
const INVALID_PASSWORD = '28P01';

/** A failure of PostgreSQL or of the way to it, as the Data API words it. */
export function errorOf(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (!(error instanceof pg.DatabaseError)) {
    return new AwsError('DatabaseUnavailableException', `The database cannot be reached: ${messageOf(error)}`, 504);
  }
  const text = [
    `${error.severity ?? 'ERROR'}: ${error.message}`,
    ...(error.detail === undefined ? [] : [`  Detail: ${error.detail}`]),
    ...(error.hint === undefined ? [] : [`  Hint: ${error.hint}`]),
    ...(error.position === undefined ? [] : [`  Position: ${error.position}`]),
  ].join('\n');
  if (error.code === INVALID_PASSWORD) return new AwsError('InvalidSecretException', error.message);
  if (error.code === QUERY_CANCELED) return new AwsError('StatementTimeoutException', 'Request timed out');
  if (/cannot insert multiple commands/.test(error.message)) {
    return new AwsError('ValidationException', 'Multistatements are not supported.');
  }
  return new AwsError('DatabaseErrorException', `${text}; SQLState: ${error.code}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
}
