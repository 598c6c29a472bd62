import type { World } from '../world.ts';

const SHORTEST_LIMIT_SECONDS = 30;

/**
 * Milliseconds of a limit on something that takes this computer's own time, such as a node's start. It passes at the
 * rehearsal's pace, but is never shorter than what was declared or 30 s, whichever is less: nodes do not start faster
 * because the rehearsal's clock does.
 */
export function limitOnWork(world: Pick<World, 'scaled'>, seconds: number): number {
  return Math.max(world.scaled(seconds), Math.min(seconds, SHORTEST_LIMIT_SECONDS) * 1_000);
}
