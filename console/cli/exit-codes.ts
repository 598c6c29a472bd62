import type { Outcome } from '../progress.ts';

/** What a command's exit code says; those of outcomes let a pipeline wait on a rollout. */
export const exitCodes = {
  succeeded: 0,
  trouble: 1,
  usage: 2,
  failed: 3,
  'put back': 4,
  refused: 5,
  stopped: 6,
  'timed out': 7,
  running: 8,
  asking: 9,
  'nothing changed': 10,
  detached: 130,
} as const satisfies Readonly<Record<Outcome, number>> & Readonly<Record<string, number>>;

export type Exit = keyof typeof exitCodes;

/** In words, for the help and the documents. */
export const exitWords: Readonly<Record<Exit, string>> = {
  succeeded: 'the rollout succeeded, or the command did what was asked',
  trouble: 'the command could not do its work: no credentials, no connection, no such execution',
  usage: 'the command line is wrong; nothing was done',
  failed: 'the rollout failed, and not all of it was put back',
  'put back': 'the rollout failed, and the site is as before',
  refused: 'the rollout was refused: nothing was touched; or a person said no',
  stopped: 'the rollout was stopped by hand',
  'timed out': 'the rollout took longer than its state machine allows',
  running: 'the rollout is still running (status without --watch, --no-wait)',
  asking: 'the rollout waits for a person',
  'nothing changed': 'the rollout failed, or nobody approved, before it had changed anything',
  detached: 'Ctrl-C: the showing ended, the rollout goes on',
};
