import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The part of JSON Schema that our inputs use. */
export interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const folder = fileURLToPath(new URL('../../lambdas/shared/', import.meta.url));
const ending = '-input.schema.json';

/** State machines that take an input, by their schemas. */
export function inputNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();
}

/** Those of them that are rollouts. */
export function rolloutNames(): string[] {
  return inputNames().filter((name) => name !== 'hold');
}

/** What the state machine's first phase checks its input with. */
export function inputSchema(name: string): Schema {
  return JSON.parse(readFileSync(`${folder}${name}${ending}`, 'utf8')) as Schema;
}
