import validate from 'asl-validator';

/** A state machine's definition as the template has it, after substitution. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
  readonly [other: string]: unknown;
}

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly TimeoutSecondsPath?: string;
  readonly HeartbeatSeconds?: number;
  readonly HeartbeatSecondsPath?: string;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Next: string;
    readonly ResultPath?: string | null;
  }[];
  readonly ResultPath?: string | null;
  readonly Seconds?: number;
  readonly [other: string]: unknown;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxDelaySeconds?: number;
  readonly MaxAttempts?: number;
  readonly [other: string]: unknown;
}

/**
 * Replaces `${Name}` by the template's DefinitionSubstitutions. One that is not used is left out, as AWS does.
 *
 * @throws Error for a name that has no substitution: AWS would keep it as it is, and fail much later
 */
export function substitute(text: string, substitutions: Readonly<Record<string, unknown>>): string {
  return text.replace(/\$\{([A-Za-z0-9_]+)\}/g, (_, name: string) => {
    if (!Object.hasOwn(substitutions, name))
      throw new Error(`the definition has \${${name}}, and no substitution for it.`);
    return String(substitutions[name]);
  });
}

/** @throws Error with every complaint of asl-validator */
export function parseDefinition(text: string): Definition {
  const definition = JSON.parse(text) as Definition;
  const complaints = complaintsAbout(text);
  if (complaints !== '') throw new Error(`the definition is not valid: ${complaints}`);
  refuseUnknown(definition);
  return definition;
}

const known = new Map<string, string>();

/**
 * Kept, because asl-validator compiles its schemas again for each call, for a fifth of a second. What ends a physical name
 * is made up, and makes no difference to it.
 */
function complaintsAbout(text: string): string {
  const key = text.replaceAll(/-[0-9A-Z]{12}(?=[":])/g, '');
  const complaints = known.get(key) ?? complain(text);
  known.set(key, complaints);
  return complaints;
}

function complain(text: string): string {
  // The validator writes into what it is given.
  const { isValid, errorsText } = validate(JSON.parse(text));
  return isValid ? '' : errorsText('; ');
}

const common = ['Type', 'Comment', 'Next', 'End', 'InputPath', 'OutputPath'];
const fields: Readonly<Record<string, readonly string[]>> = {
  Task: [...common, 'Resource', 'Parameters', 'ResultSelector', 'ResultPath', 'Retry', 'Catch', 'TimeoutSeconds'],
  Pass: [...common, 'Parameters', 'Result', 'ResultPath'],
  Choice: ['Type', 'Comment', 'Choices', 'Default', 'InputPath', 'OutputPath'],
  Wait: [...common, 'Seconds'],
  Succeed: ['Type', 'Comment', 'InputPath', 'OutputPath'],
  Fail: ['Type', 'Comment', 'Error', 'Cause', 'ErrorPath', 'CausePath'],
};

/** Of a task that waits for a token, besides those of every task. */
const fieldsOfWaits = ['TimeoutSecondsPath', 'HeartbeatSeconds', 'HeartbeatSecondsPath'];

const topLevel = ['Comment', 'StartAt', 'States', 'TimeoutSeconds', 'Version', 'QueryLanguage'];

/** Members of the context object that the rehearsal fills. */
const contextPath = /^\$\$\.(Execution\.(Id|Name|Input|StartTime|RoleArn)|StateMachine\.(Id|Name))(\.|\[|$)/;
const tokenPath = '$$.Task.Token';
/** These are known to the tasks alone. */
const statePath = /^\$\$\.State\.(EnteredTime|Name|RetryCount)$/;

/** A path of nothing but names: the interpreter can write to it. */
const plainPath = /^\$(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

export function waitsForToken({ Resource: resource = '' }: State): boolean {
  return resource.endsWith('.waitForTaskToken');
}

function refuseUnknown(definition: Definition): void {
  refuseFields('the definition', definition, topLevel);
  if ((definition.QueryLanguage ?? 'JSONPath') !== 'JSONPath') throw new Error('the rehearsal runs JSONPath only.');
  for (const [name, state] of Object.entries(definition.States)) {
    const known = fields[state.Type];
    if (!known) throw new Error(`state “${name}”: the rehearsal does not run states of the type ${state.Type}.`);
    const waits = waitsForToken(state);
    refuseFields(`state “${name}”`, state, waits ? [...known, ...fieldsOfWaits] : known);
    for (const path of [state.ResultPath, ...(state.Catch ?? []).map((catcher) => catcher.ResultPath)]) {
      if (typeof path !== 'string' || plainPath.test(path)) continue;
      throw new Error(`state “${name}”: the rehearsal cannot write to the ResultPath ${path}.`);
    }
    for (const path of [state.TimeoutSecondsPath, state.HeartbeatSecondsPath]) {
      if (path === undefined || plainPath.test(path)) continue;
      throw new Error(`state “${name}”: the rehearsal reads a time limit from a path of names only, not from ${path}.`);
    }
    for (const path of contextPathsIn(state)) {
      const isKnown = contextPath.test(path) || (waits && path === tokenPath);
      if (!isKnown && !(state.Type === 'Task' && statePath.test(path)))
        throw new Error(`state “${name}”: the rehearsal does not know ${path}.`);
    }
  }
}

function refuseFields(place: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).filter((field) => !known.includes(field));
  if (unknown.length > 0) throw new Error(`${place}: the rehearsal does not know the field ${unknown.join(', ')}.`);
}

function contextPathsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.match(/\$\$\.[A-Za-z0-9_.[\]']*/g) ?? [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(contextPathsIn) : [];
}
