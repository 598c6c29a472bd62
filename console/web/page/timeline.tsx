import type { TimeScale } from '../time-scale.ts';
import type { SentPhase } from './server.ts';
import { duration, timeOfDay } from './words.ts';

/** Beyond this the bars of attempts would be thinner than a line, and the page slow: neighbours are drawn as one. */
const mostBars = 120;

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly status: string;
  readonly attempts: number;
}

/** The attempts of a phase along the time of the whole rollout. */
export function Timeline({
  phase,
  scale,
  now,
}: {
  readonly phase: SentPhase;
  readonly scale: TimeScale;
  readonly now: number;
}) {
  const bars = barsOf(phase, now);
  if (bars.length === 0) return <div class="time none" />;
  return (
    <div class="time" role="img" aria-label={inWords(phase, now)}>
      {scale.gaps.map(({ left, right, from, to }) => (
        <span
          key={from}
          class="gap"
          style={{ left: percent(left), width: percent(right - left) }}
          title={`${duration(to - from)} in which nothing happened`}
        />
      ))}
      <span
        class="stretch"
        style={{ left: percent(scale.at(bars[0]?.from ?? now)), right: percent(1 - scale.at(endOf(phase, bars, now))) }}
      />
      {bars.map((bar) => (
        <span
          key={bar.from}
          class={`bar ${bar.status}`}
          style={{ left: percent(scale.at(bar.from)), width: percent(scale.at(bar.to) - scale.at(bar.from)) }}
          title={`${bar.attempts > 1 ? `${bar.attempts} attempts` : bar.status}, ${duration(bar.to - bar.from)}`}
        />
      ))}
    </div>
  );
}

/** A phase that waits for its next attempt has not ended with its last. */
function endOf({ status }: SentPhase, bars: readonly Bar[], now: number): number {
  return status === 'waiting' ? now : (bars.at(-1)?.to ?? now);
}

function barsOf({ timeline, startedAt, endedAt, status }: SentPhase, now: number): Bar[] {
  const time = (moment: string | undefined) => (moment === undefined ? now : Date.parse(moment));
  const attempts = timeline.flatMap((attempt): Bar[] =>
    attempt.startedAt === undefined
      ? []
      : [{ from: time(attempt.startedAt), to: time(attempt.endedAt), status: attempt.status, attempts: 1 }],
  );
  if (attempts.length === 0) {
    return startedAt === undefined ? [] : [{ from: time(startedAt), to: time(endedAt), status, attempts: 1 }];
  }
  const together = Math.ceil(attempts.length / mostBars);
  if (together === 1) return attempts;
  return Array.from({ length: Math.ceil(attempts.length / together) }, (_, index) => {
    const some = attempts.slice(index * together, (index + 1) * together);
    return {
      from: some[0]?.from ?? now,
      to: some.at(-1)?.to ?? now,
      status: some.at(-1)?.status ?? 'failed',
      attempts: some.length,
    };
  });
}

function inWords({ title, timeline, startedAt, endedAt }: SentPhase, now: number): string {
  const begun = startedAt === undefined ? '' : ` from ${timeOfDay(startedAt)}`;
  const ended = endedAt === undefined ? ' until now' : ` to ${timeOfDay(endedAt)}`;
  const took =
    startedAt === undefined
      ? ''
      : `, ${duration((endedAt === undefined ? now : Date.parse(endedAt)) - Date.parse(startedAt))}`;
  const failed = timeline.filter(({ status }) => status === 'failed').length;
  const tries = timeline.length > 1 ? `, ${timeline.length} attempts of which ${failed} were not yet it` : '';
  return `${title}:${begun}${ended}${took}${tries}`;
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;
