import { duration } from '../../words.ts';
import type { SentPhase } from './server.ts';

export { duration, outcomeWords, plainWords } from '../../words.ts';

export const phaseStatuses: Readonly<Record<SentPhase['status'], string>> = {
  pending: 'not begun',
  running: 'running',
  waiting: 'tries again',
  asking: 'asks a person',
  succeeded: 'done',
  failed: 'failed',
  aborted: 'stopped',
  'put back': 'put back',
  'not needed': 'not needed',
  skipped: 'skipped',
};

export const runStatuses: Readonly<Record<string, string>> = {
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timed out',
  ABORTED: 'stopped',
  PENDING_REDRIVE: 'about to go on',
};

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const timeOfDay = (moment: string) => clock.format(new Date(moment));
export const dateAndTime = (moment: string) => day.format(new Date(moment));

/** How long something took, or takes until now. */
export function elapsed(from: string | undefined, to: string | undefined, now: number): string {
  if (from === undefined) return '';
  return duration((to === undefined ? now : Date.parse(to)) - Date.parse(from));
}
