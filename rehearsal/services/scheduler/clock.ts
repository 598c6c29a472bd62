import { setTimeout as wait } from 'node:timers/promises';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { nextTime } from './expression.ts';
import { fireSchedule } from './fire.ts';
import type { Schedule } from './schedules.ts';

/** Largest delay of a timer, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

const closingOf = perWorld((world: World) => {
  const closing = new AbortController();
  world.onClose(() => closing.abort());
  return closing.signal;
});

/**
 * Fires a schedule at each of its times for as long as the rehearsal is up. The time until the next one passes at the
 * rehearsal's pace, so that a night takes an hour or two.
 */
export async function runClock(world: World, schedule: Schedule): Promise<void> {
  const closing = closingOf(world);
  let now = Date.now();
  for (;;) {
    const due = nextTime(schedule.expression, now);
    if (due === undefined) return;
    const later = Math.random() * schedule.flexibleMinutes * 60;
    const milliseconds = world.scaled((due - now) / 1_000 + later);
    try {
      for (let left = milliseconds; left > 0; left -= LONGEST_WAIT) {
        await wait(Math.min(left, LONGEST_WAIT), undefined, { signal: closing, ref: false });
      }
    } catch {
      return;
    }
    // What could not be started is in the log and in the dead-letter queue.
    await fireSchedule(world, schedule, due).catch(() => {});
    now = due;
  }
}
