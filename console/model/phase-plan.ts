import { type Definition, nestedIn, type Retrier, type State } from './definition.ts';

export interface PlannedPhase {
  /** The state's name. */
  readonly title: string;
  readonly comment: string | undefined;
}

export interface PhasePlan {
  readonly phases: readonly PlannedPhase[];
  /** States that only a catcher leads to. */
  readonly wayBack: readonly PlannedPhase[];
  /** The state of the outermost level that a state belongs to; undefined for one that is not in the definition. */
  ownerOf(state: string): string | undefined;
  stateOf(name: string): State | undefined;
  retriersOf(state: string): readonly Retrier[];
  /** The site that the phases are given by name, as our definitions have it. */
  readonly site: string | undefined;
}

/** States that do or wait for something; the others only steer. */
const visibleTypes = new Set(['Task', 'Wait', 'Parallel', 'Map']);

export function isVisible(type: string): boolean {
  return visibleTypes.has(type);
}

export function readPhasePlan(definition: Definition): PhasePlan {
  const order = walk(definition, [definition.StartAt], new Set());
  const back = walkCatchers(definition, order);
  const owned = ownedStates(definition);
  const visible = (titles: readonly string[]) =>
    titles
      .filter((title) => isVisible(definition.States[title]?.Type ?? ''))
      .map((title) => ({ title, comment: definition.States[title]?.Comment }));
  return {
    phases: visible(order),
    wayBack: visible(back),
    ownerOf: (state) => owned.get(state)?.owner,
    stateOf: (name) => owned.get(name)?.state,
    retriersOf: (name) => owned.get(name)?.state.Retry ?? [],
    site: siteOf(Object.values(definition.States)),
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

/** Every state by its name, which is unique in a whole state machine, with the outermost state around it. */
function ownedStates(definition: Definition): Map<string, { owner: string; state: State }> {
  const found = new Map<string, { owner: string; state: State }>();
  const collect = ({ States }: Definition, owner: string | undefined): void => {
    for (const [name, state] of Object.entries(States)) {
      const outermost = owner ?? name;
      found.set(name, { owner: outermost, state });
      for (const nested of nestedIn(state)) collect(nested, outermost);
    }
  };
  collect(definition, undefined);
  return found;
}

function siteOf(states: readonly State[]): string | undefined {
  for (const { Parameters } of states) {
    const parameters = Parameters as { site?: unknown; Payload?: { site?: unknown } } | undefined;
    const site = parameters?.site ?? parameters?.Payload?.site;
    if (typeof site === 'string') return site;
  }
  return undefined;
}
