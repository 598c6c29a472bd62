/** A stretch of time, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A phase with its attempts, as far as the line of time needs them; moments as ISO 8601 text. */
export interface Timed {
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly timeline: readonly {
    readonly startedAt?: string | undefined;
    readonly endedAt?: string | undefined;
    readonly asks: boolean;
  }[];
}

/** A stretch in which nothing happened, drawn narrower than it was. */
export interface CollapsedGap extends Span {
  /** Where it is drawn, from 0 to 1. */
  readonly left: number;
  readonly right: number;
}

export interface TimeScale {
  /** Where a moment is drawn, from 0 to 1. */
  at(time: number): number;
  readonly gaps: readonly CollapsedGap[];
}

/** A gap is collapsed when it is longer than this share of all the time in which something happened. */
const longShare = 0.12;
/** What a collapsed gap is drawn as wide as, as a share of the same. */
const collapsedShare = 0.05;
/** Gaps shorter than this are never collapsed: there would be nothing to win. */
const shortestGap = 5_000;

/** Attempts, or where there is none (a state that only waits) the state itself. */
export function spansOf({ timeline, startedAt, endedAt }: Timed, now: number): Span[] {
  const attempts = timeline.filter((attempt) => attempt.startedAt !== undefined);
  const spans = attempts.length > 0 ? attempts : startedAt === undefined ? [] : [{ startedAt, endedAt, asks: false }];
  return spans.flatMap((span) => {
    const from = Date.parse(span.startedAt ?? '');
    const to = span.endedAt === undefined ? now : Date.parse(span.endedAt);
    // While a person is asked nothing happens: only the asking counts, and the answer.
    return span.asks ? [from, to].map((moment) => ({ from: moment, to: moment })) : [{ from, to }];
  });
}

/**
 * Lays attempts out along one line on which long idle gaps take little room, so that an attempt of a second is still
 * seen beside an hour of waiting for a person.
 *
 * @param busy spans in any order, overlapping or not; an open attempt ends now
 */
export function timeScale(busy: readonly Span[]): TimeScale {
  const merged = mergeOverlapping(busy);
  const busyTime = merged.reduce((sum, { from, to }) => sum + to - from, 0);
  const gapsBetween = merged.slice(1).map(({ from }, index) => ({ from: merged[index]?.to ?? from, to: from }));
  const threshold = Math.max(shortestGap, busyTime * longShare);
  const isLong = ({ from, to }: Span) => to - from > threshold;
  const drawnGap = Math.max(1, busyTime * collapsedShare);
  const pieces = merged.flatMap((span, index): (Span & { width: number })[] => {
    const gap = gapsBetween[index - 1];
    const before = gap ? [{ ...gap, width: isLong(gap) ? drawnGap : gap.to - gap.from }] : [];
    return [...before, { ...span, width: span.to - span.from }];
  });
  const whole = pieces.reduce((sum, { width }) => sum + width, 0) || 1;
  let drawn = 0;
  const placed = pieces.map((piece) => {
    const left = drawn / whole;
    drawn += piece.width;
    return { ...piece, left, right: drawn / whole };
  });
  return {
    at: (time) => place(placed, time),
    gaps: placed.filter((piece) => isLong(piece) && piece.width === drawnGap && gapsBetween.some(same(piece))),
  };
}

const same = (piece: Span) => (gap: Span) => gap.from === piece.from && gap.to === piece.to;

function place(pieces: readonly CollapsedGap[], time: number): number {
  const piece = pieces.find(({ to }) => time <= to);
  if (!piece) return pieces.length > 0 ? 1 : 0;
  if (time <= piece.from) return piece.left;
  return piece.left + ((time - piece.from) / (piece.to - piece.from)) * (piece.right - piece.left);
}

function mergeOverlapping(spans: readonly Span[]): Span[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to: Math.max(from, to) });
  }
  return merged;
}
