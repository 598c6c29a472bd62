import { AwsError } from '../../endpoint/service.ts';
import type { StatementOptions } from './session.ts';

/** From the Data API's quotas. */
const LARGEST_RESULT = 1024 * 1024;
const LARGEST_ROW = 64 * 1024;
export const CALL_LIMIT = 45_000;

/** A value as the database writes it, or its bytes. */
export type Text = string | Buffer | null;

/** A column of a result, and how the Data API gives its values. */
export interface Column {
  readonly name: string;
  /** In the form of `records`. */
  toField(text: Text): object;
  /** In the form of `formattedRecords`. */
  toJson(text: Text): unknown;
  readonly metadata: object;
}

/** What a statement answers. A statement that answers no rows has no columns. */
export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Text[])[];
  readonly updated: number;
}

/** @throws AwsError UnsupportedResultException for a result that is too large */
export function answerOf({ columns, rows, updated }: Result, options: StatementOptions): object {
  const hasRows = columns.length > 0;
  const output = {
    numberOfRecordsUpdated: hasRows ? 0 : updated,
    ...(hasRows ? recordsOf(columns, rows, options.formatRecordsAs ?? 'NONE') : { generatedFields: [] }),
    ...(options.includeResultMetadata ? { columnMetadata: columns.map(({ metadata }) => metadata) } : {}),
  };
  requireSize(JSON.stringify(output), LARGEST_RESULT, 'Database returned more than the allowed response size limit');
  return output;
}

function recordsOf(columns: readonly Column[], rows: readonly (readonly Text[])[], format: 'JSON' | 'NONE'): object {
  const convert = <Value>(row: readonly Text[], each: (column: Column, text: Text) => Value) => {
    const converted = columns.map((column, index) => each(column, row[index] ?? null));
    requireSize(JSON.stringify(converted), LARGEST_ROW, 'A row of the result is larger than 64 KB');
    return converted;
  };
  if (format === 'NONE') return { records: rows.map((row) => convert(row, (column, text) => column.toField(text))) };
  const objects = rows.map((row) =>
    Object.fromEntries(convert(row, (column, text) => [column.name, column.toJson(text)] as const)),
  );
  return { formattedRecords: JSON.stringify(objects) };
}

function requireSize(text: string, largest: number, problem: string): void {
  if (Buffer.byteLength(text) > largest) throw new AwsError('UnsupportedResultException', problem);
}

/** What the Data API tells of every column, beside what depends on its type. */
export function metadataOf(name: string, type: number, typeName: string, isCaseSensitive: boolean, isSigned: boolean) {
  return {
    name,
    label: name,
    type,
    typeName,
    nullable: 2,
    precision: 0,
    scale: 0,
    schemaName: '',
    tableName: '',
    arrayBaseColumnType: 0,
    isAutoIncrement: false,
    isCaseSensitive,
    isCurrency: false,
    isSigned,
  };
}

/** Ends the wait for a statement that goes on by itself. */
export async function withinLimit<Value>(running: Promise<Value>): Promise<Value> {
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

/**
 * The values of the names that a statement has.
 *
 * @throws AwsError BadRequestException for a name without a value, and for a value without a name
 */
export function valuesOf<Parameter extends { readonly name: string }>(
  names: readonly string[],
  parameters: readonly Parameter[],
): Parameter[] {
  const found = names.map((name) => {
    const parameter = parameters.find((candidate) => candidate.name === name);
    if (!parameter) throw new AwsError('BadRequestException', `Cannot find parameter: ${name}`);
    return parameter;
  });
  const unused = parameters.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  if (unused.length > 0)
    throw new AwsError('BadRequestException', `The statement has no parameter ${unused.join(', ')}.`);
  return found;
}
