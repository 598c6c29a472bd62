import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Progress } from '../progress.ts';
import { openProgressView, type ProgressView } from '../terminal.ts';
import { watchRollout } from '../watch.ts';
import { exitCodes } from './exit-codes.ts';
import type { Session } from './session.ts';

export interface FollowOptions {
  /** Between two looks. */
  readonly everyMilliseconds?: number;
  /** Default: as the terminal has it. */
  readonly view?: ProgressView;
}

/** Steps of a rehearsal take no longer than a moment, and looking at it costs nothing. */
const everyMillisecondsOfRehearsal = 250;

/**
 * Shows a rollout until it ends. Ctrl-C ends the showing alone.
 *
 * @returns the exit code that tells the outcome
 */
export async function follow(session: Session, executionArn: string, options: FollowOptions = {}): Promise<number> {
  const { client, place, read } = session.connection;
  const stop = new AbortController();
  const detach = () => stop.abort();
  process.once('SIGINT', detach);
  process.once('SIGTERM', detach);
  const view = options.view ?? openProgressView(session.screen, process.env);
  try {
    const progress = await watch(client, view);
    if (progress.status !== 'running') return exitCodes[progress.outcome];
    session.say(
      `\nDetached. The rollout goes on; this shows it again:\n  npx lifecycle status --watch ${executionArn}`,
    );
    return exitCodes.detached;
  } finally {
    process.off('SIGINT', detach);
    process.off('SIGTERM', detach);
    view.close();
  }

  async function watch(sfn: SFNClient, shown: ProgressView): Promise<Progress> {
    return watchRollout(sfn, executionArn, shown, {
      ...read,
      place,
      pastRuns: await session.pastRuns(executionArn),
      signal: stop.signal,
      everyMilliseconds:
        options.everyMilliseconds ?? (read.rehearsal === undefined ? 1_000 : everyMillisecondsOfRehearsal),
    });
  }
}
