import type { FieldDef } from 'pg';
import pg from 'pg';
import { AwsError } from '../../../endpoint/service.ts';
import { type Column, metadataOf } from '../answer.ts';

/** How the Data API answers a column: the member of the field, the name of the type and its JDBC number. */
interface ColumnType {
  readonly kind: 'boolean' | 'long' | 'double' | 'string' | 'blob' | 'array';
  readonly name: string;
  readonly jdbc: number;
}

const string = (name: string, jdbc = 12): ColumnType => ({ kind: 'string', name, jdbc });
const array = (name: string): ColumnType => ({ kind: 'array', name, jdbc: 2003 });

/** By PostgreSQL's type OID (pg_type.dat). A column of any other type is refused. */
const types: Readonly<Record<number, ColumnType>> = {
  16: { kind: 'boolean', name: 'bool', jdbc: -7 },
  17: { kind: 'blob', name: 'bytea', jdbc: -2 },
  18: string('char', 1),
  19: string('name'),
  20: { kind: 'long', name: 'int8', jdbc: -5 },
  21: { kind: 'long', name: 'int2', jdbc: 5 },
  23: { kind: 'long', name: 'int4', jdbc: 4 },
  25: string('text'),
  26: { kind: 'long', name: 'oid', jdbc: -5 },
  114: string('json', 1111),
  700: { kind: 'double', name: 'float4', jdbc: 7 },
  701: { kind: 'double', name: 'float8', jdbc: 8 },
  1042: string('bpchar', 1),
  1043: string('varchar'),
  1082: string('date', 91),
  1083: string('time', 92),
  1114: string('timestamp', 93),
  1184: string('timestamptz', 93),
  1700: string('numeric', 2),
  2950: string('uuid', 1111),
  3802: string('jsonb', 1111),
  1000: array('_bool'),
  1005: array('_int2'),
  1007: array('_int4'),
  1016: array('_int8'),
  1021: array('_float4'),
  1022: array('_float8'),
  1009: array('_text'),
  1015: array('_varchar'),
};

const TEXT_ARRAY: number = 1009;

const arrayMembers: Readonly<Record<string, string>> = {
  _bool: 'booleanValues',
  _int2: 'longValues',
  _int4: 'longValues',
  _int8: 'longValues',
  _float4: 'doubleValues',
  _float8: 'doubleValues',
  _text: 'stringValues',
  _varchar: 'stringValues',
};

/** @throws AwsError UnsupportedResultException */
function columnType(column: Pick<FieldDef, 'name' | 'dataTypeID'>): ColumnType {
  const type = types[column.dataTypeID];
  if (type) return type;
  throw new AwsError(
    'UnsupportedResultException',
    `The result contains the unsupported data type with OID ${column.dataTypeID} in the column “${column.name}”. Cast it to text.`,
  );
}

/** A value in the form of `records`. @param text as PostgreSQL writes it */
function toField(text: string | null, type: ColumnType): object {
  if (text === null) return { isNull: true };
  switch (type.kind) {
    case 'boolean':
      return { booleanValue: text === 't' };
    case 'long':
      return { longValue: Number(text) };
    case 'double':
      return { doubleValue: Number(text) };
    case 'blob':
      return { blobValue: bytes(text) };
    case 'array':
      return { arrayValue: { [arrayMembers[type.name] ?? 'stringValues']: arrayOf(text, type) } };
    default:
      return { stringValue: plainText(text, type) };
  }
}

/** A value in the form of `formattedRecords`. */
function toJson(text: string | null, type: ColumnType): unknown {
  if (text === null) return null;
  switch (type.kind) {
    case 'boolean':
      return text === 't';
    case 'long':
    case 'double':
      return Number(text);
    case 'blob':
      return bytes(text).toString('base64');
    case 'array':
      return arrayOf(text, type);
    default:
      return plainText(text, type);
  }
}

/** Moments with a time zone are answered in UTC and without the zone; the connection's time zone is UTC. */
function plainText(text: string, type: ColumnType): string {
  return type.name === 'timestamptz' ? text.replace(/\+00$/, '') : text;
}

function bytes(text: string): Buffer {
  return Buffer.from(text.replace(/^\\x/, ''), 'hex');
}

function arrayOf(text: string, type: ColumnType): unknown[] {
  const strings = pg.types.getTypeParser(TEXT_ARRAY, 'text')(text) as (string | null)[];
  const kind = arrayMembers[type.name];
  return strings.map((item) => {
    if (item === null || kind === 'stringValues') return item;
    return kind === 'booleanValues' ? item === 't' : Number(item);
  });
}

/** @throws AwsError UnsupportedResultException for a type that the Data API, or the rehearsal, does not know */
export function columnOf(column: FieldDef): Column {
  const type = columnType(column);
  const signed = type.kind === 'long' || type.kind === 'double' || type.name === 'numeric';
  return {
    name: column.name,
    toField: (text) => toField(text as string | null, type),
    toJson: (text) => toJson(text as string | null, type),
    metadata: metadataOf(column.name, type.jdbc, type.name, type.kind === 'string', signed),
  };
}
