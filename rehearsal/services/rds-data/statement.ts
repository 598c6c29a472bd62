import type pg from 'pg';
import { AwsError } from '../../endpoint/service.ts';
import { errorOf } from './errors.ts';
import { bind, type SqlParameter } from './fields.ts';
import { numberParameters } from './named-parameters.ts';
import { columnMetadata, columnType, toField, toJson } from './results.ts';

/** A call takes no longer. From the Data API's quotas, as the two sizes. */
const CALL_LIMIT = 45_000;
const LARGEST_RESULT = 1024 * 1024;
const LARGEST_ROW = 64 * 1024;

export interface StatementOptions {
  readonly includeResultMetadata?: boolean;
  readonly formatRecordsAs?: 'JSON' | 'NONE';
  /** The statement goes on although the caller is told that it took too long. */
  readonly continueAfterTimeout?: boolean;
}

type Rows = (string | null)[][];

/**
 * Runs one statement with the Data API's named parameters and gives its result in the Data API's form.
 *
 * @throws AwsError as the Data API words it
 */
export async function runStatement(
  client: pg.ClientBase,
  sql: string,
  parameters: readonly SqlParameter[] = [],
  options: StatementOptions = {},
): Promise<object> {
  const result = await query(client, sql, parameters, options.continueAfterTimeout ?? false);
  const { fields, rows } = result as unknown as { fields: pg.FieldDef[]; rows: Rows };
  const hasRows = fields.length > 0;
  const output = {
    numberOfRecordsUpdated: hasRows ? 0 : updated(result),
    ...(hasRows ? recordsOf(fields, rows, options.formatRecordsAs ?? 'NONE') : { generatedFields: [] }),
    ...(options.includeResultMetadata ? { columnMetadata: fields.map(columnMetadata) } : {}),
  };
  requireSize(JSON.stringify(output), LARGEST_RESULT, 'Database returned more than the allowed response size limit');
  return output;
}

function updated({ command, rowCount }: pg.QueryResult): number {
  return ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(command) ? (rowCount ?? 0) : 0;
}

function recordsOf(fields: readonly pg.FieldDef[], rows: Rows, format: 'JSON' | 'NONE'): object {
  const types = fields.map(columnType);
  const convert = <Value>(row: (string | null)[], each: (text: string | null, index: number) => Value) => {
    const converted = row.map(each);
    requireSize(JSON.stringify(converted), LARGEST_ROW, 'A row of the result is larger than 64 KB');
    return converted;
  };
  const type = (index: number) => types[index] ?? columnType(fields[index] ?? { name: '?', dataTypeID: 0 });
  if (format === 'NONE')
    return { records: rows.map((row) => convert(row, (text, index) => toField(text, type(index)))) };
  const objects = rows.map((row) =>
    Object.fromEntries(
      convert(row, (text, index) => toJson(text, type(index))).map((value, index) => [
        fields[index]?.name ?? '',
        value,
      ]),
    ),
  );
  return { formattedRecords: JSON.stringify(objects) };
}

function requireSize(text: string, largest: number, problem: string): void {
  if (Buffer.byteLength(text) > largest) throw new AwsError('UnsupportedResultException', problem);
}

async function query(
  client: pg.ClientBase,
  sql: string,
  parameters: readonly SqlParameter[],
  continueAfterTimeout: boolean,
): Promise<pg.QueryResult> {
  const { text, names } = numberParameters(sql);
  const bound = names.map((name) => {
    const parameter = parameters.find((candidate) => candidate.name === name);
    if (!parameter) throw new AwsError('BadRequestException', `Cannot find parameter: ${name}`);
    return bind(parameter);
  });
  const unused = parameters.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  if (unused.length > 0)
    throw new AwsError('BadRequestException', `The statement has no parameter ${unused.join(', ')}.`);
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

async function withinLimit(running: Promise<pg.QueryResult>): Promise<pg.QueryResult> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AwsError('StatementTimeoutException', 'Request timed out')), CALL_LIMIT);
  });
  try {
    return await Promise.race([running, tooLate]);
  } finally {
    clearTimeout(timer);
    running.catch(() => {});
  }
}
