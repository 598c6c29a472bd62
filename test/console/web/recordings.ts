import type { Recording } from '../../../console/api/recording.ts';
import { definition, type History, installing } from '../history.ts';

export const recordingOf = ({ execution, events }: History): Recording => ({ definition, execution, events });

/** An install that is in Wait for install and has an attempt under way. */
export const running = (): Recording => recordingOf(installing().begin(10));

/** An install that waits for the next attempt of Wait for install. */
export const waiting = (): Recording => recordingOf(installing());

/** Every attempt of an install that takes a long time: ten thousand events, of the 25,000 that Step Functions allows. */
export function tenThousandEvents(): Recording {
  const history = installing();
  while (history.events.length < 10_000) {
    history.begin(10).fail('InstallStillRunning', `${history.events.length} of 20000 tables, a while of about an hour`);
  }
  return recordingOf(history);
}
