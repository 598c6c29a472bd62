import { setTimeout as sleep } from 'node:timers/promises';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Recording, RecordingReader } from './api/recording.ts';
import { type Place, troubleOf } from './api/trouble.ts';
import { type Progress, type ReadOptions, readProgress } from './progress.ts';
import type { ProgressView } from './terminal.ts';
import { duration } from './words.ts';

export interface WatchOptions extends ReadOptions {
  /** Between two looks. Default 1,000. */
  readonly everyMilliseconds?: number;
  /** Ends the watching, not the execution. */
  readonly signal?: AbortSignal;
  /** Where the calls go, for what is said about a connection that is lost. */
  readonly place?: Place;
}

/** Longest pause between two looks while there is no connection. */
const LONGEST_PAUSE = 10_000;

/**
 * Shows an execution until it ends. A connection that is lost, and throttling, are said and waited for.
 *
 * @returns the last state seen; still `running` when the signal ended the watching
 * @throws the SDK's errors that no waiting mends, for example ExecutionDoesNotExist; and any at the first look
 */
export async function watchRollout(
  client: SFNClient,
  executionArn: string,
  view: ProgressView,
  options: WatchOptions = {},
): Promise<Progress> {
  const reader = new RecordingReader(client, executionArn);
  const every = options.everyMilliseconds ?? 1_000;
  let last: Progress | undefined;
  let lostAt: number | undefined;
  let pause = every;
  for (;;) {
    const look = await lookAt(reader, options, last !== undefined);
    if ('trouble' in look) {
      lostAt ??= Date.now();
      pause = Math.min(pause * 2, Math.max(LONGEST_PAUSE, every));
      view.trouble(`${look.trouble} What is shown is ${duration(Date.now() - lostAt)} old; it is tried again.`);
    } else {
      if (lostAt !== undefined) view.trouble(undefined);
      lostAt = undefined;
      pause = every;
      last = readProgress(look.definition, look.execution, look.events, options);
      if (last.status !== 'running') {
        view.end(last);
        return last;
      }
      view.update(last);
    }
    await sleep(pause, undefined, options.signal ? { signal: options.signal } : {}).catch(() => undefined);
    if (options.signal?.aborted && last) {
      view.close();
      return last;
    }
  }
}

/** @throws what is no passing trouble, or is met at the first look */
async function lookAt(
  reader: RecordingReader,
  { place = { profile: undefined, endpointUrl: undefined } }: WatchOptions,
  hasLooked: boolean,
): Promise<Recording | { readonly trouble: string }> {
  try {
    return await reader.read();
  } catch (error) {
    const trouble = troubleOf(error, place);
    if (!hasLooked || !trouble?.passing) throw error;
    return { trouble: trouble.words };
  }
}
