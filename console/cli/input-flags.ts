import type { Schema } from '../api/input-schemas.ts';
import { type Arguments, type Option, type Options, UsageError } from './command-line.ts';

/** An option for each member of the input: `adminIp` is `--admin-ip`. */
export function optionsOf(schema: Schema): Options {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, member]) => [
      kebab(name),
      optionOf(resolve(member, schema), schema),
    ]),
  );
}

function optionOf(member: Schema, root: Schema): Option {
  const doc = (member.description ?? member.title ?? '').replace(/\.$/, '');
  if (member.type === 'boolean') return { type: 'boolean', doc };
  if (member.type === 'array') {
    const items = resolve(member.items ?? {}, root);
    const one = items.type === 'object' ? objectValue(items) : wordsOf(items).join('|') || 'NAME';
    return { type: 'string', multiple: true, value: `${one}${items.type === 'object' ? '' : ',…'}`, doc };
  }
  if (member.type === 'object') return { type: 'string', value: objectValue(member), doc };
  const values = wordsOf(member);
  if (values.length > 0) return { type: 'string', value: values.join('|'), values, doc };
  return { type: 'string', value: member.type === 'integer' || member.type === 'number' ? 'N' : 'TEXT', doc };
}

/** `start=…,end=…`. */
function objectValue({ properties = {} }: Schema): string {
  return Object.keys(properties)
    .map((name) => `${name}=…`)
    .join(',');
}

function wordsOf({ enum: values = [] }: Schema): string[] {
  return values.map(String);
}

/** The members of the input that options of the command line give. @throws UsageError */
export function inputFrom(given: Arguments, schema: Schema): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, unresolved] of Object.entries(schema.properties ?? {})) {
    const member = resolve(unresolved, schema);
    const option = kebab(name);
    const flag = given.flag(option);
    const texts = given.texts(option);
    if (flag !== undefined) input[name] = flag;
    else if (texts.length > 0) input[name] = memberFrom(texts, member, schema, `--${option}`);
  }
  return input;
}

function memberFrom(texts: readonly string[], member: Schema, root: Schema, option: string): unknown {
  const last = texts.at(-1) ?? '';
  switch (member.type) {
    case 'array': {
      const items = resolve(member.items ?? {}, root);
      if (items.type === 'object') return texts.map((text) => objectFrom(text, items, option));
      return texts.flatMap((text) => text.split(',').filter(Boolean)).map((text) => scalarFrom(text, items, option));
    }
    case 'object':
      return objectFrom(last, member, option);
    default:
      return scalarFrom(last, member, option);
  }
}

function scalarFrom(text: string, { type }: Schema, option: string): unknown {
  if (type !== 'integer' && type !== 'number') return text;
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw new UsageError(`${option} takes a number, not “${text}”.`);
  return number;
}

/** `mod_x` (its first required member), `component=mod_x,version=3`, or JSON. */
function objectFrom(text: string, schema: Schema, option: string): unknown {
  if (text.startsWith('{')) return parseJson(text, option);
  const properties = schema.properties ?? {};
  const main = schema.required?.[0] ?? Object.keys(properties)[0] ?? '';
  return Object.fromEntries(
    text.split(',').map((part, index) => {
      const at = part.indexOf('=');
      if (at < 0 && index === 0) return [main, part];
      const name = part.slice(0, Math.max(0, at));
      if (!Object.hasOwn(properties, name)) {
        throw new UsageError(`${option} takes ${Object.keys(properties).join('=…, ')}=…, not “${part}”.`);
      }
      return [name, scalarFrom(part.slice(at + 1), properties[name] ?? {}, option)];
    }),
  );
}

/** @throws UsageError */
export function parseJson(text: string, option: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${option} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function resolve(schema: Schema, root: Schema): Schema {
  const [, name] = /^#\/definitions\/(.+)$/.exec(schema.$ref ?? '') ?? [];
  return name === undefined ? schema : { ...root.definitions?.[name], ...schema };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Checks an input as the rollout's first phase does, before anything is started.
 *
 * @throws UsageError naming every member that is wrong
 */
export async function checkInput(input: unknown, schema: Schema): Promise<void> {
  const { Ajv } = await import('ajv');
  // Formats of our own are the phase's to check.
  const validate = new Ajv({ allErrors: true, verbose: true, strict: false, validateFormats: false }).compile(schema);
  if (validate(input)) return;
  const problems = (validate.errors ?? [])
    .filter(({ keyword }) => keyword !== 'if')
    .map(({ instancePath, keyword, params, message, data }) => {
      const where = instancePath.slice(1).replaceAll('/', ' ') || 'the input';
      if (keyword === 'additionalProperties') {
        return `${params.additionalProperty} is not known (known are ${Object.keys(schema.properties ?? {}).join(', ')})`;
      }
      if (keyword === 'enum') return `${where} is not one of ${(params.allowedValues as unknown[]).join(', ')}`;
      if (keyword === 'not') return `${where} has members that exclude each other`;
      if (keyword === 'pattern')
        return `${where} is ${JSON.stringify(data)}, which does not have the form ${params.pattern}`;
      return `${where} ${message}`;
    });
  throw new UsageError(`The input is not valid: ${[...new Set(problems)].join('; ')}. Nothing was started.`);
}
