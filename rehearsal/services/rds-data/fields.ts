import { AwsError } from '../../endpoint/service.ts';

/** A value on its way in. One member is set. */
export interface Field {
  readonly isNull?: boolean;
  readonly booleanValue?: boolean;
  readonly longValue?: number;
  readonly doubleValue?: number;
  readonly stringValue?: string;
  /** Base64 on the wire. */
  readonly blobValue?: string;
}

export interface SqlParameter {
  readonly name: string;
  readonly value: Field;
  readonly typeHint?: string;
}

/** A value as PostgreSQL is given it, with the type that it is declared to be of; 0 leaves the type to PostgreSQL. */
export interface BoundValue {
  readonly oid: number;
  readonly value: string | Buffer | null;
}

const oids = { boolean: 16, bytea: 17, bigint: 20, json: 114, double: 701, varchar: 1043, numeric: 1700, uuid: 2950 };

interface Hint {
  readonly oid: number;
  readonly format: RegExp;
}

/** Moments are sent without a type, as the JDBC driver behind the Data API does, so that they fit any column of time. */
const hints: Readonly<Record<string, Hint>> = {
  DATE: { oid: 0, format: /^\d{4}-\d{2}-\d{2}$/ },
  TIME: { oid: 0, format: /^\d{2}:\d{2}:\d{2}(\.\d{1,6})?$/ },
  TIMESTAMP: { oid: 0, format: /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$/ },
  DECIMAL: { oid: oids.numeric, format: /^[+-]?\d+(\.\d+)?$/ },
  JSON: { oid: oids.json, format: /^/ },
  UUID: { oid: oids.uuid, format: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i },
};

/**
 * A parameter with the type that the Data API declares for it. A text is declared `varchar`, so that a statement that
 * needs another type must cast it or give a type hint, there as here.
 *
 * @throws AwsError BadRequestException for a value that is not of its hint's form; UnsupportedParameter for others
 */
export function bind({ name, value, typeHint }: SqlParameter): BoundValue {
  if (value.isNull) return { oid: 0, value: null };
  const members = Object.keys(value).filter((member) => member !== 'isNull');
  if (members.length !== 1) throw new AwsError('BadRequestException', `Parameter ${name} must have exactly one value.`);
  if (typeHint !== undefined) return hinted(name, value, typeHint);
  if (value.stringValue !== undefined) return { oid: oids.varchar, value: value.stringValue };
  if (value.longValue !== undefined) return { oid: oids.bigint, value: String(value.longValue) };
  if (value.doubleValue !== undefined) return { oid: oids.double, value: String(value.doubleValue) };
  if (value.booleanValue !== undefined) return { oid: oids.boolean, value: String(value.booleanValue) };
  if (value.blobValue !== undefined) return { oid: oids.bytea, value: Buffer.from(value.blobValue, 'base64') };
  throw new AwsError('UnsupportedParameter', `The rehearsal does not know the value ${members[0]} of ${name}.`);
}

function hinted(name: string, { stringValue }: Field, typeHint: string): BoundValue {
  const hint = hints[typeHint];
  if (!hint) throw new AwsError('UnsupportedParameter', `The rehearsal does not know the type hint ${typeHint}.`);
  if (stringValue === undefined || !hint.format.test(stringValue)) {
    throw new AwsError(
      'BadRequestException',
      `The value of parameter ${name} is no ${typeHint} as the Data API takes it.`,
    );
  }
  return { oid: hint.oid, value: stringValue };
}

/**
 * A parameter's value for a database that is not told types.
 *
 * @throws AwsError as `bind`
 */
export function plainValue(parameter: SqlParameter): string | number | boolean | Buffer | null {
  const { value } = bind(parameter);
  const { booleanValue, longValue, doubleValue } = parameter.value;
  return value === null ? null : (booleanValue ?? longValue ?? doubleValue ?? value);
}
