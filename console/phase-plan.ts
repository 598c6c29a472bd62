/** The part of the Amazon States Language that tells which phases there are and in which order. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[] }[];
}

export interface PlannedPhase {
  readonly title: string;
  readonly comment: string | undefined;
}

export interface PhasePlan {
  readonly phases: readonly PlannedPhase[];
  /** States that only a catcher leads to. */
  readonly wayBack: readonly PlannedPhase[];
  /** Whether a state tries again after an error of this name, as long as it has attempts left. */
  isRetried(state: string, error: string): boolean;
}

/** States that do or wait for something; the others only steer. */
const VISIBLE = new Set(['Task', 'Wait', 'Parallel', 'Map']);

/** Errors that `States.ALL` does not stand for. */
const NOT_ALL = new Set(['States.DataLimitExceeded', 'States.Runtime']);

export function readPhasePlan(definition: Definition): PhasePlan {
  const order = walk(definition, [definition.StartAt], new Set());
  const back = walkCatchers(definition, order);
  const visible = (titles: readonly string[]) =>
    titles
      .filter((title) => VISIBLE.has(definition.States[title]?.Type ?? ''))
      .map((title) => ({ title, comment: definition.States[title]?.Comment }));
  return {
    phases: visible(order),
    wayBack: visible(back),
    isRetried: (state, error) =>
      (definition.States[state]?.Retry ?? []).some(({ ErrorEquals }) =>
        ErrorEquals.some((name) => matches(name, error)),
      ),
  };
}

/** Names of the states in the order of their first visit, never through a catcher. */
function walk({ States }: Definition, from: readonly string[], seen: Set<string>): string[] {
  const order: string[] = [];
  const visit = (title: string | undefined): void => {
    if (title === undefined || seen.has(title)) return;
    seen.add(title);
    order.push(title);
    const state = States[title];
    for (const choice of state?.Choices ?? []) visit(choice.Next);
    visit(state?.Default);
    visit(state?.Next);
  };
  for (const title of from) visit(title);
  return order;
}

/** Everything that catchers lead to, also the catchers of the way back itself. */
function walkCatchers(definition: Definition, order: readonly string[]): string[] {
  const seen = new Set(order);
  const back: string[] = [];
  for (let last = order; last.length > 0; back.push(...last)) {
    const caught = last.flatMap((title) => definition.States[title]?.Catch ?? []).map(({ Next }) => Next);
    last = walk(definition, caught, seen);
  }
  return back;
}

function matches(name: string, error: string): boolean {
  if (name === error) return true;
  if (name === 'States.ALL') return !NOT_ALL.has(error);
  return name === 'States.TaskFailed' && error !== 'States.Timeout' && !NOT_ALL.has(error);
}
