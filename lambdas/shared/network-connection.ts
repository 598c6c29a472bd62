import type { SqlStatements } from './moodle-database.ts';

/** Where a database server is, and who signs in there. */
export interface NetworkConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** PEM of the certificate authority; absent: the trust of Node.js. The server's certificate is verified either way. */
  readonly tls: { readonly ca?: string };
  /**
   * Asked for at every connection, and once more when the server has refused what it gave: then, while the secret is being
   * rotated, those of the version that is to come.
   */
  credentials(refused: boolean): Promise<{ readonly user: string; readonly password: string }>;
}

export const connectMilliseconds = 10_000;
/** As long as a statement may take by the Data API. */
export const statementMilliseconds = 45_000;

/**
 * A statement with `:name` parameters as the servers' own protocols want it; a `::type` cast and text between quotes are
 * left alone.
 *
 * @param mark what takes the place of a name, given its number among the values
 * @param once whether a name that comes again has its first number again
 * @throws TypeError for a name without a value, and for a value without a name
 */
export function bindNames<Value>(
  sql: string,
  parameters: Readonly<Record<string, Value>>,
  mark: (number: number) => string,
  once: boolean,
): { text: string; values: Value[] } {
  const names: string[] = [];
  const text = sql.replace(/'(?:[^']|'')*'|::|:([a-z]\w*)/gi, (whole, name: string | undefined) => {
    if (name === undefined) return whole;
    if (!(name in parameters)) throw new TypeError(`The statement names :${name}, which has no value.`);
    if (!once || !names.includes(name)) names.push(name);
    return mark(once ? names.indexOf(name) + 1 : names.length);
  });
  const unused = Object.keys(parameters).filter((name) => !names.includes(name));
  if (unused.length > 0) throw new TypeError(`The statement does not use ${unused.join(', ')}.`);
  return { text, values: names.map((name) => parameters[name] as Value) };
}

/** All statements of the work, or none: on the one connection that these statements run on. */
export async function transactionOn<Result>(
  statements: SqlStatements,
  run: (sql: string) => Promise<unknown>,
  begin: 'BEGIN' | 'START TRANSACTION',
  work: (statements: SqlStatements) => Promise<Result>,
): Promise<Result> {
  await run(begin);
  try {
    const result = await work(statements);
    await run('COMMIT');
    return result;
  } catch (error) {
    // A connection that broke has rolled back already: so the first error is the one worth telling.
    await run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Ends a connection, whatever has become of it. */
export async function endConnection(client: Promise<{ end(): Promise<void> }> | undefined): Promise<void> {
  await (await client?.catch(() => undefined))?.end().catch(() => undefined);
}
