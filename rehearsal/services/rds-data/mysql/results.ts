import mysql, { type FieldPacket } from 'mysql2';
import { AwsError } from '../../../endpoint/service.ts';
import { type Column, metadataOf, type Text } from '../answer.ts';

/** Node finds no such export by name in this CommonJS package. */
const { Types } = mysql;

type Kind = 'boolean' | 'long' | 'double' | 'string' | 'blob' | 'null';

/** Number of the character set of bytes that are no text. */
const BINARY = 63;

/** Kind, name and JDBC number of the types that the Data API answers. A column of any other type is refused. */
const types: Readonly<Record<number, readonly [Kind, string, number]>> = {
  [Types.TINY]: ['long', 'TINYINT', -6],
  [Types.SHORT]: ['long', 'SMALLINT', 5],
  [Types.INT24]: ['long', 'MEDIUMINT', 4],
  [Types.LONG]: ['long', 'INT', 4],
  [Types.LONGLONG]: ['long', 'BIGINT', -5],
  [Types.FLOAT]: ['double', 'FLOAT', 7],
  [Types.DOUBLE]: ['double', 'DOUBLE', 8],
  [Types.DECIMAL]: ['string', 'DECIMAL', 3],
  [Types.NEWDECIMAL]: ['string', 'DECIMAL', 3],
  [Types.DATE]: ['string', 'DATE', 91],
  [Types.TIME]: ['string', 'TIME', 92],
  [Types.DATETIME]: ['string', 'DATETIME', 93],
  [Types.TIMESTAMP]: ['string', 'TIMESTAMP', 93],
  [Types.JSON]: ['string', 'JSON', -1],
  [Types.VARCHAR]: ['string', 'VARCHAR', 12],
  [Types.VAR_STRING]: ['string', 'VARCHAR', 12],
  [Types.STRING]: ['string', 'CHAR', 1],
  [Types.TINY_BLOB]: ['string', 'TEXT', -1],
  [Types.BLOB]: ['string', 'TEXT', -1],
  [Types.MEDIUM_BLOB]: ['string', 'TEXT', -1],
  [Types.LONG_BLOB]: ['string', 'TEXT', -1],
  [Types.NULL]: ['null', 'NULL', 0],
};

/** @throws AwsError UnsupportedResultException */
export function columnOf(field: FieldPacket): Column {
  const { name } = field;
  const known = types[field.columnType ?? -1];
  if (!known) {
    throw new AwsError(
      'UnsupportedResultException',
      `The result contains the unsupported data type ${field.columnType} in the column “${name}”. Cast it to CHAR.`,
    );
  }
  const [kind, typeName, jdbc] = special(field, known);
  return {
    name,
    toField: (text) => toField(text, kind),
    toJson: (text) => toJson(text, kind),
    metadata: metadataOf(name, jdbc, typeName, kind === 'string', kind === 'long' || kind === 'double'),
  };
}

function special(field: FieldPacket, known: readonly [Kind, string, number]): readonly [Kind, string, number] {
  const [kind, , jdbc] = known;
  // As the JDBC drivers take it (tinyInt1isBit): a column that was declared BOOLEAN.
  if (field.columnType === Types.TINY && field.columnLength === 1) return ['boolean', 'BIT', -7];
  const isText = kind === 'string' && (jdbc === 12 || jdbc === 1 || jdbc === -1) && field.columnType !== Types.JSON;
  return isText && field.characterSet === BINARY ? ['blob', 'BLOB', -4] : known;
}

function toField(text: Text, kind: Kind): object {
  if (text === null) return { isNull: true };
  switch (kind) {
    case 'boolean':
      return { booleanValue: String(text) !== '0' };
    case 'long':
      return { longValue: Number(text) };
    case 'double':
      return { doubleValue: Number(text) };
    case 'blob':
      return { blobValue: text };
    default:
      return { stringValue: String(text) };
  }
}

function toJson(text: Text, kind: Kind): unknown {
  if (text === null) return null;
  if (kind === 'blob') return Buffer.from(text).toString('base64');
  return Object.values(toField(text, kind))[0];
}
