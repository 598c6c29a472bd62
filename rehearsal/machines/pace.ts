import type { World } from '../world.ts';

const SHORTEST_LIMIT_SECONDS = 30;

/**
 * Milliseconds of a limit on something that takes this computer's own time, such as a node's start or its install.
 * Nothing is faster because the rehearsal's clock is: for a real Moodle the limit is what was declared. The stand-in is
 * quick, so that its limits pass at the rehearsal's pace, but never in less than what was declared or 30 s.
 */
export function limitOnWork(world: Pick<World, 'scaled' | 'moodle'>, seconds: number): number {
  if (world.moodle.kind === 'real') return seconds * 1_000;
  return Math.max(world.scaled(seconds), Math.min(seconds, SHORTEST_LIMIT_SECONDS) * 1_000);
}
