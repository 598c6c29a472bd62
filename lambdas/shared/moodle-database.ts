import type { Dialect } from './dialect.ts';

export type SqlValue = string | number | boolean | null;
export type SqlParameters = Readonly<Record<string, SqlValue>>;

/**
 * A row as all drivers answer it: whole and floating numbers as such, NULL as null, and every other type (times, JSON,
 * numeric) as the database's text. A truth value is a boolean or, where MySQL computes it, 1 or 0: read it by `truth`.
 */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** Named parameters are written `:name` in all drivers. */
export interface SqlStatements {
  /** What to write where the databases differ. */
  readonly dialect: Dialect;
  /** Rows of a SELECT. */
  query(sql: string, parameters?: SqlParameters): Promise<SqlRow[]>;
  /**
   * How many rows the statement wrote. MySQL may leave out those that held the same values before: 0 then does not say
   * that there was no row.
   */
  execute(sql: string, parameters?: SqlParameters): Promise<number>;
}

/**
 * The site's own database.
 *
 * @throws DatabaseResuming while Aurora starts again after its pause
 * @throws DatabaseUnreachable when there is no answer, or the server cannot take the connection now
 */
export interface MoodleDatabase extends SqlStatements {
  readonly access: 'data-api' | 'network';
  /** All or nothing. Rolled back when `work` throws. */
  transaction<Result>(work: (statements: SqlStatements) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export function text(row: SqlRow | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value === 'string') return value;
  throw new TypeError(`The column ${column} holds ${typeof value}, not text.`);
}

export function textOrNull(row: SqlRow | undefined, column: string): string | null {
  const value = row?.[column] ?? null;
  if (value === null || typeof value === 'string') return value;
  throw new TypeError(`The column ${column} holds ${typeof value}, not text.`);
}

export function number(row: SqlRow | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value === 'number') return value;
  throw new TypeError(`The column ${column} holds ${typeof value}, not a number.`);
}

export function numberOrNull(row: SqlRow | undefined, column: string): number | null {
  const value = row?.[column] ?? null;
  if (value === null || typeof value === 'number') return value;
  throw new TypeError(`The column ${column} holds ${typeof value}, not a number.`);
}

export function truth(row: SqlRow | undefined, column: string): boolean {
  const value = row?.[column];
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 0) return value === 1;
  throw new TypeError(`The column ${column} holds ${typeof value}, not a truth value.`);
}

/**
 * Condition that a column has one of these values, with its parameters.
 *
 * @param name of the column, and of the parameters
 */
export function among(name: string, values: readonly string[]): { condition: string; parameters: SqlParameters } {
  const names = values.map((_, index) => `${name}${index}`);
  return {
    // An empty list is a syntax error.
    condition: values.length === 0 ? '1 = 0' : `${name} IN (${names.map((one) => `:${one}`).join(', ')})`,
    parameters: Object.fromEntries(names.map((one, index) => [one, values[index] ?? ''])),
  };
}
