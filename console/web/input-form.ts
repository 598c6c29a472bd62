/** A member of a rollout's input, as a form asks for it. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  /** `words`: texts, comma-separated. `json`: anything else, as JSON. */
  readonly kind: 'choice' | 'choices' | 'number' | 'text' | 'words' | 'json';
  readonly choices: readonly string[];
  readonly least: number | undefined;
  readonly most: number | undefined;
  /** What is taken when it is left empty. */
  readonly standard: string | undefined;
}

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  /** Into `definitions` of the same schema. */
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** @param schema JSON Schema of an object */
export function fieldsOf(schema: unknown): Field[] {
  const { properties = {}, definitions = {} } = (schema as Schema | undefined) ?? {};
  return Object.entries(properties).map(([name, given]) => fieldOf(name, resolved(given, definitions)));
}

function resolved(member: Schema, definitions: NonNullable<Schema['definitions']>): Schema {
  const { $ref, items, ...own } = member;
  const named = $ref === undefined ? {} : definitions[$ref.replace('#/definitions/', '')];
  return { ...named, ...own, ...(items && { items: resolved(items, definitions) }) };
}

function fieldOf(name: string, member: Schema): Field {
  return {
    name,
    label: member.title ?? inWords(name),
    help: member.description ?? '',
    kind: kindOf(member),
    choices: choicesOf(member),
    least: member.minimum,
    most: member.maximum,
    standard: member.default === undefined ? undefined : JSON.stringify(member.default).replace(/^"(.*)"$/, '$1'),
  };
}

/** `existingSite` as `Existing site`. */
function inWords(name: string): string {
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${spaced.charAt(0).toUpperCase()}${spaced.slice(1)}`;
}

function kindOf({ type, enum: words, items }: Schema): Field['kind'] {
  if (words || type === 'boolean') return 'choice';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string') return 'text';
  if (type === 'array' && items?.enum) return 'choices';
  return type === 'array' && items?.type === 'string' ? 'words' : 'json';
}

function choicesOf({ type, enum: words, items }: Schema): string[] {
  if (type === 'boolean') return ['true', 'false'];
  return (words ?? items?.enum ?? []).map(String);
}

/**
 * The input that a filled-in form stands for: what is empty is left out.
 *
 * @throws SyntaxError naming the field whose JSON is none
 */
export function inputFrom(fields: readonly Field[], form: FormData): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    fields.flatMap((field): [string, unknown][] => {
      const given = form.getAll(field.name).map(String).filter(Boolean);
      return given.length === 0 ? [] : [[field.name, memberOf(field, given)]];
    }),
  );
}

function memberOf({ kind, choices, label }: Field, given: readonly string[]): unknown {
  const [first = ''] = given;
  switch (kind) {
    case 'number':
      return Number(first);
    case 'choice':
      return choices.join() === 'true,false' ? first === 'true' : first;
    case 'choices':
      return given;
    case 'words':
      return first
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean);
    case 'json':
      try {
        return JSON.parse(first);
      } catch (error) {
        throw new SyntaxError(`“${label}” is not JSON: ${error instanceof Error ? error.message : String(error)}`);
      }
    default:
      return first;
  }
}
