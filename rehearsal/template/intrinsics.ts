import type { Template } from './assembly.ts';
import { cidrBlocks } from './cidr.ts';

/** What the intrinsic functions of one stack's template are resolved against. */
export interface Scope {
  readonly region: string;
  readonly mappings: NonNullable<Template['Mappings']>;
  readonly conditions: NonNullable<Template['Conditions']>;
  /** Value of a parameter, a pseudo parameter or a resource. @throws Error when there is none */
  ref(name: string): unknown;
  /** @throws Error when the resource has no such attribute */
  attribute(logicalId: string, attribute: string): unknown;
  /** @throws Error when no stack exports that name */
  importValue(name: string): unknown;
  /** Replaces `{{resolve:…}}` in a text. */
  dynamicReferences(text: string): string;
}

/** What `AWS::NoValue` resolves to: the member that has it is left out. */
export const noValue = Symbol('AWS::NoValue');

type Resolver = (argument: unknown, scope: Scope) => unknown;

/**
 * A template's value with every intrinsic function and dynamic reference replaced.
 *
 * @throws Error for a function that is not known or arguments that it cannot take
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return scope.dynamicReferences(value);
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope)).filter((item) => item !== noValue);
  if (typeof value !== 'object' || value === null) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0) {
    const resolver = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (resolver) return resolver((value as Record<string, unknown>)[name], scope);
    if (name.startsWith('Fn::')) throw new Error(`the rehearsal does not know the intrinsic function ${name}.`);
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, resolve(member, scope)] as const)
      .filter(([, member]) => member !== noValue),
  );
}

/** Whether a condition of the template holds. @throws Error for a condition that the template does not have */
export function conditionHolds(name: string, scope: Scope): boolean {
  if (!Object.hasOwn(scope.conditions, name)) throw new Error(`there is no condition “${name}”.`);
  return truth(scope.conditions[name], scope);
}

function truth(value: unknown, scope: Scope): boolean {
  if (typeof value === 'object' && value !== null && 'Condition' in value) {
    return conditionHolds(String(value.Condition), scope);
  }
  const resolved = resolve(value, scope);
  if (resolved === true || resolved === 'true') return true;
  if (resolved === false || resolved === 'false') return false;
  throw new Error(`a condition is neither true nor false: ${JSON.stringify(resolved)}.`);
}

const functions: Readonly<Record<string, Resolver>> = {
  Ref: (name, scope) => (name === 'AWS::NoValue' ? noValue : scope.ref(String(name))),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId = '', ...attribute] = Array.isArray(argument) ? argument : String(argument).split('.');
    return scope.attribute(String(logicalId), attribute.map((part) => String(resolve(part, scope))).join('.'));
  },
  'Fn::Sub': (argument, scope) => {
    const [text, own = {}] = (Array.isArray(argument) ? argument : [argument]) as [string, Record<string, unknown>?];
    const replaced = text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (Object.hasOwn(own, name)) return String(resolve(own[name], scope));
      const [logicalId = '', ...attribute] = name.trim().split('.');
      const found = attribute.length > 0 ? scope.attribute(logicalId, attribute.join('.')) : scope.ref(logicalId);
      return String(found);
    });
    return scope.dynamicReferences(replaced);
  },
  'Fn::Join': (argument, scope) => {
    const [delimiter, parts] = argument as [string, unknown];
    // A dynamic reference may be put together from parts, so that it is looked for once more in the whole.
    return scope.dynamicReferences(list(parts, scope).map(String).join(delimiter));
  },
  'Fn::Select': (argument, scope) => {
    const [index, items] = argument as [unknown, unknown];
    const resolved = list(items, scope);
    const item = resolved[Number(resolve(index, scope))];
    if (item === undefined) throw new Error(`Fn::Select: no item ${String(index)} among ${resolved.length}.`);
    return item;
  },
  'Fn::Split': (argument, scope) => {
    const [delimiter, text] = argument as [string, unknown];
    return String(resolve(text, scope)).split(delimiter);
  },
  'Fn::Base64': (argument, scope) => Buffer.from(String(resolve(argument, scope))).toString('base64'),
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = (argument as unknown[]).map((part) => String(resolve(part, scope)));
    const found = scope.mappings[map ?? '']?.[first ?? '']?.[second ?? ''];
    if (found === undefined) throw new Error(`Fn::FindInMap: nothing under ${map}, ${first}, ${second}.`);
    return found;
  },
  'Fn::ImportValue': (argument, scope) => scope.importValue(String(resolve(argument, scope))),
  'Fn::GetAZs': (argument, scope) => {
    const region = String(resolve(argument, scope)) || scope.region;
    return ['a', 'b', 'c'].map((zone) => `${region}${zone}`);
  },
  'Fn::Cidr': (argument, scope) => {
    const [block, count, bits = 8] = (argument as unknown[]).map((part) => resolve(part, scope));
    return cidrBlocks(String(block), Number(count), Number(bits));
  },
  'Fn::If': (argument, scope) => {
    const [condition, then, otherwise] = argument as [string, unknown, unknown];
    return resolve(conditionHolds(condition, scope) ? then : otherwise, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = (argument as unknown[]).map((part) => resolve(part, scope));
    return String(left) === String(right);
  },
  'Fn::And': (argument, scope) => (argument as unknown[]).every((part) => truth(part, scope)),
  'Fn::Or': (argument, scope) => (argument as unknown[]).some((part) => truth(part, scope)),
  'Fn::Not': (argument, scope) => !truth((argument as unknown[])[0], scope),
  'Fn::Contains': (argument, scope) => {
    const [items, item] = argument as [unknown, unknown];
    return list(items, scope)
      .map(String)
      .includes(String(resolve(item, scope)));
  },
};

function list(value: unknown, scope: Scope): unknown[] {
  const resolved = resolve(value, scope);
  if (!Array.isArray(resolved)) throw new Error(`a list is needed, and ${JSON.stringify(resolved)} is none.`);
  return resolved;
}
