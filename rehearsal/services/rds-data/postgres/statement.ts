import type pg from 'pg';
import { answerOf, CALL_LIMIT, valuesOf, withinLimit } from '../answer.ts';
import { bind, type SqlParameter } from '../fields.ts';
import type { StatementOptions } from '../session.ts';
import { errorOf } from './errors.ts';
import { numberParameters } from './named-parameters.ts';
import { columnOf } from './results.ts';

type Rows = (string | null)[][];

/**
 * Runs one statement with the Data API's named parameters and gives its result in the Data API's form.
 *
 * @throws AwsError as the Data API words it
 */
export async function runStatement(
  client: pg.ClientBase,
  sql: string,
  parameters: readonly SqlParameter[],
  options: StatementOptions,
): Promise<object> {
  const result = await query(client, sql, parameters, options.continueAfterTimeout ?? false);
  const { fields, rows } = result as unknown as { fields: pg.FieldDef[]; rows: Rows };
  return answerOf({ columns: fields.map(columnOf), rows, updated: updated(result) }, options);
}

function updated({ command, rowCount }: pg.QueryResult): number {
  return ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(command) ? (rowCount ?? 0) : 0;
}

async function query(
  client: pg.ClientBase,
  sql: string,
  parameters: readonly SqlParameter[],
  continueAfterTimeout: boolean,
): Promise<pg.QueryResult> {
  const { text, names } = numberParameters(sql);
  const bound = valuesOf(names, parameters).map(bind);
  const config = {
    text,
    values: bound.map(({ value }) => value),
    rowMode: 'array',
    queryMode: 'extended',
    types: declaredTypes(bound.map(({ oid }) => oid)),
  };
  try {
    if (continueAfterTimeout) return await withinLimit(client.query(config as never));
    await client.query(`SET statement_timeout = ${CALL_LIMIT}`);
    return await client.query(config as never);
  } catch (error) {
    throw errorOf(error);
  }
}

/**
 * The driver reads two things from `types`: as an array, the declared types of the parameters; and its method
 * `getTypeParser`, how results are read. Here they are read as PostgreSQL writes them.
 */
function declaredTypes(oids: readonly number[]): unknown {
  return Object.assign([...oids], { getTypeParser: () => (text: string) => text });
}
