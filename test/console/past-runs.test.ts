import { expect, test } from 'vitest';
import { type PastRun, pastRun, usualDuration, workIn } from '../../console/model/past-runs.ts';
import { readProgress } from '../../console/progress.ts';
import { recorded } from './recorded.ts';

const runOf = (name: string) => {
  const { execution } = recorded(name);
  return pastRun(
    {
      ...execution,
      executionArn: '',
      stateMachineArn: '',
      name,
      status: 'SUCCEEDED',
      startDate: new Date(0),
      stopDate: new Date(1_000),
    },
    execution.output,
  );
};

test('a past run is told by its output: whether it installed, or found the site installed', () => {
  expect(runOf('fresh-install')).toEqual({ milliseconds: 1_000, work: 'install' });
  expect(runOf('converged')).toEqual({ milliseconds: 1_000, work: 'converge' });
  // It was redriven: nobody knows how long it would have taken.
  expect(runOf('resumed')).toBeUndefined();
});

test('an update is told by what it found, and by whether a person is asked', () => {
  const found = { outcome: 'update', changes: [], approval: false };
  expect(workIn([{ request: {} }, found])).toBe('update');
  expect(workIn([{ ...found, approval: true }])).toBe('update with approval');
  expect(workIn([{ ...found, outcome: 'nothing', approval: true }])).toBe('nothing');
  expect(workIn([undefined, 'text'])).toBeUndefined();
});

test('a rollout is compared with those that had the same to do, once it is known', () => {
  const runs: PastRun[] = [600, 1, 2, 400, 3].map((seconds) => ({
    milliseconds: seconds * 1_000,
    work: seconds > 100 ? 'install' : 'converge',
  }));
  expect(usualDuration(runs, undefined)).toBeUndefined();
  expect(usualDuration(runs, 'update')).toBeUndefined();
  expect(usualDuration(runs, 'install')).toEqual({ milliseconds: 500_000, runs: 2 });
  const usual = (name: string, events?: number) => {
    const recording = recorded(name);
    return readProgress(recording.definition, recording.execution, recording.events.slice(0, events), {
      pastRuns: runs,
    }).usual;
  };
  expect(usual('fresh-install')).toEqual({ milliseconds: 500_000, runs: 2 });
  expect(usual('converged')).toEqual({ milliseconds: 2_000, runs: 3 });
  expect(usual('converged', 2)).toBeUndefined();
});
