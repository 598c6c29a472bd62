/** What the phases' own words say about the site, as of the last that said it. */
export interface SiteFacts {
  readonly wantedNodes: number | undefined;
  readonly actualNodes: number | undefined;
  readonly sessionStore: string | undefined;
}

interface Told {
  readonly startedAt: Date | undefined;
  readonly evidence: unknown;
  readonly problem: { readonly cause: string } | undefined;
}

/** Reads evidence, and where a phase has none yet the words of its last wait, in the order of their phases' beginnings. */
export function siteFactsOf(phases: readonly Told[]): SiteFacts {
  const facts: { -readonly [Name in keyof SiteFacts]: SiteFacts[Name] } = {
    wantedNodes: undefined,
    actualNodes: undefined,
    sessionStore: undefined,
  };
  const begun = phases.filter(({ startedAt }) => startedAt !== undefined);
  const inOrder = begun.sort((a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0));
  for (const { evidence, problem } of inOrder) {
    const told = asObject(evidence);
    const words = problem?.cause ?? '';
    const wanted = asObject(told.plan).nodes ?? asObject(told.request).nodes;
    if (typeof wanted === 'number') facts.wantedNodes = wanted;
    const { actual, of } = nodesIn(told.nodes) ?? nodesIn(words.match(/\d+ of \d+ (web )?nodes?\b/)?.[0]) ?? {};
    if (actual !== undefined) facts.actualNodes = actual;
    if (of !== undefined) facts.wantedNodes = of;
    const back = typeof told.cause === 'string' ? told.cause : '';
    const webNodes = back.match(/(\d+) web nodes/)?.[1];
    if (webNodes !== undefined) {
      facts.actualNodes = Number(webNodes);
      facts.wantedNodes = Number(webNodes);
    }
    facts.sessionStore = storeIn(told) ?? back.match(/sessions in (\w+)/)?.[1] ?? facts.sessionStore;
  }
  return facts;
}

function nodesIn(value: unknown): { actual: number; of?: number } | undefined {
  if (typeof value === 'number') return { actual: value };
  const [, actual, of] = /^(\d+)(?: of (\d+))?\b/.exec(typeof value === 'string' ? value : '') ?? [];
  return actual === undefined ? undefined : { actual: Number(actual), ...(of === undefined ? {} : { of: Number(of) }) };
}

/** `store` beside `sessions` is where they were moved; `sessions in redis` is what nodes acknowledged. */
function storeIn({ store, sessions, stores }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof store === 'string' && sessions !== undefined) return store;
  if (typeof sessions === 'string' && /^\w+$/.test(sessions)) return sessions;
  return typeof stores === 'string' ? /sessions in (\w+)/.exec(stores)?.[1] : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
