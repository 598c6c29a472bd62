import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { failureNames, refusalNames, waitNames } from '../../lambdas/shared/errors.ts';
import {
  type Definition,
  functionCalledBy,
  problemsOf,
  readDefinition,
  retriesOf,
  type State,
  stateMachineFiles,
  waitsThatNobodyRetries,
} from '../support/state-machine-checks.ts';

const lambdas = fileURLToPath(new URL('../../lambdas/', import.meta.url));

/** Code of one function as it is deployed, names minified as there: what a function never uses is not in it. */
function bundle(name: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [`${lambdas}${name}.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    minify: true,
    write: false,
    outdir: 'nowhere',
    external: ['@aws-sdk/*', 'pg', 'mysql2', 'mysql2/*', 'ajv'],
    logLevel: 'silent',
  });
  return outputFiles.map((file) => file.text).join('');
}

/** Names of the error classes in a bundle, by the field that each of them sets. */
function errorsIn(code: string): Set<string> {
  return new Set([...code.matchAll(/\bname="([A-Z]\w+)"/g)].map(([, name = '']) => name));
}

/** `CheckSite` is `check-site`; empty where no function is called. */
function functionOf(state: State): string {
  return (functionCalledBy(state) ?? '').replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}

const sources = readdirSync(lambdas).filter((file) => file.endsWith('.ts'));
const code = new Map(sources.map((file) => [file.replace(/\.ts$/, ''), bundle(file.replace(/\.ts$/, ''))]));

/** An install goes on where an installed site does not answer: it may be what brings it back. */
const caughtInside: Readonly<Record<string, readonly string[]>> = { 'check-site': ['NodesNotYetHealthy'] };

describe.each(stateMachineFiles())('%s', (file) => {
  const definition = readDefinition(file);

  it('has nothing wrong', () => {
    expect(problemsOf(definition)).toEqual([]);
  });

  const phases = Object.entries(definition.States).filter(([, state]) => functionOf(state) !== '');
  it.each(phases)('“%s” waits by exactly the errors that its function can throw', (_, state) => {
    const name = functionOf(state);
    const thrown = errorsIn(code.get(name) ?? '');
    for (const error of caughtInside[name] ?? []) expect(thrown.delete(error)).toBe(true);
    const waited = retriesOf(state).filter((name) => !name.includes('.'));
    expect([...waited].sort()).toEqual(waitNames.filter((name) => thrown.has(name)).sort());
  });

  it('times out as a whole later than its longest waits together, which no catcher would see', () => {
    const longest = Object.values(definition.States).flatMap((state) => [
      state.TimeoutSeconds ?? 0,
      ...(state.Retry ?? []).filter(({ ErrorEquals }) => !ErrorEquals[0]?.includes('.')).map(averageWait),
    ]);
    expect(definition.TimeoutSeconds).toBeGreaterThan(longest.reduce((sum, seconds) => sum + seconds, 0));
  });
});

/** With full jitter every delay is half of its bound on average, without it the bound. */
function averageWait({
  IntervalSeconds,
  BackoffRate,
  MaxAttempts,
  MaxDelaySeconds = Number.POSITIVE_INFINITY,
  JitterStrategy,
}: NonNullable<Definition['States'][string]['Retry']>[number]): number {
  let seconds = 0;
  for (let attempt = 0; attempt < MaxAttempts; attempt++) {
    seconds +=
      Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds) / (JitterStrategy === 'FULL' ? 2 : 1);
  }
  return seconds;
}

describe('all definitions together', () => {
  const definitions = stateMachineFiles().map(readDefinition);

  it('call every function there is', () => {
    const states = definitions.flatMap(({ States }) => Object.values(States));
    const called = states.map(functionOf).filter((name) => name !== '');
    // EventBridge calls one, the dashboard another, CloudFormation the third.
    const notCalled = ['schedule-nodes', 'show-rollouts', 'remove-leftovers'];
    const others = [...code.keys()].filter((name) => !notCalled.includes(name));
    expect([...new Set(called)].sort()).toEqual(others.sort());
  });

  it('wait by every wait', () => {
    expect(waitsThatNobodyRetries(definitions)).toEqual([]);
    expect(waitsThatNobodyRetries([readDefinition('hold.asl.json')])).toContain('ImageStillBuilding');
  });
});

describe('the errors', () => {
  const thrown = new Set([...code.values()].flatMap((text) => [...errorsIn(text)]));

  it.each([...waitNames, ...refusalNames, ...failureNames])('%s can be thrown by some function', (name) => {
    expect(thrown).toContain(name);
  });

  it('are all declared: a function has no other', () => {
    const declared: readonly string[] = [...waitNames, ...refusalNames, ...failureNames];
    expect([...thrown].filter((name) => !declared.includes(name))).toEqual([]);
  });
});

describe('problemsOf', () => {
  const good = readDefinition('install.asl.json');
  const changed = (change: (definition: { States: Record<string, Record<string, unknown>> }) => void) => {
    const copy = structuredClone(good);
    change(copy as unknown as { States: Record<string, Record<string, unknown>> });
    return problemsOf(copy).join('\n');
  };
  const retrier = { Comment: 'x', ErrorEquals: ['HoldLost'], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 1 };

  it('finds a state without a comment, a time-out, or a last catcher', () => {
    const problems = changed(({ States }) => {
      States['Build image'] = { ...States['Build image'], Comment: undefined, TimeoutSeconds: undefined, Catch: [] };
    });
    expect(problems).toMatch(/“Build image” has no Comment.*no TimeoutSeconds.*Catch/s);
  });

  it('finds a retry of what no waiting mends, of what nothing throws, and without jitter', () => {
    const problems = changed(({ States }) => {
      const others = States['Build image']?.Retry as object[];
      States['Build image'] = {
        ...States['Build image'],
        Retry: [...others, retrier, { ...retrier, ErrorEquals: ['Misspelt'] }],
      };
    });
    expect(problems).toMatch(/HoldLost without full jitter/);
    expect(problems).toMatch(/retries HoldLost, which no waiting mends/);
    expect(problems).toMatch(/Misspelt, which nothing throws/);
  });

  it('finds a transition to nowhere', () => {
    const problems = changed(({ States }) => {
      States['Build image'] = { ...States['Build image'], Next: 'Nowhere' };
    });
    expect(problems).toMatch(/Nowhere/);
  });
});
