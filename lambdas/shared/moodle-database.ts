export type SqlValue = string | number | boolean | null;
export type SqlParameters = Readonly<Record<string, SqlValue>>;

/**
 * A row as both drivers answer it: whole and floating numbers and booleans as such, NULL as null, and every other type
 * (timestamps, JSON, numeric) as PostgreSQL's text. Statements ask for `extract(epoch from …)::float8` where they count.
 */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** Named parameters are written `:name` in both drivers; casts as `CAST(:name AS type)`. */
export interface SqlStatements {
  /** Rows of a SELECT or of a RETURNING clause. */
  query(sql: string, parameters?: SqlParameters): Promise<SqlRow[]>;
  /** How many rows the statement changed. */
  execute(sql: string, parameters?: SqlParameters): Promise<number>;
}

/**
 * The site's own database.
 *
 * @throws DatabaseResuming while Aurora starts again after its pause
 * @throws DatabaseUnreachable when there is no answer, or the server cannot take the connection now
 */
export interface MoodleDatabase extends SqlStatements {
  readonly driver: 'data-api' | 'pg';
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
