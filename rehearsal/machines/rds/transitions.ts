import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';

/** What RDS takes for each, in seconds; they pass at the rehearsal's pace. The work itself comes on top. */
export const seconds = { snapshot: 60, restore: 120, instance: 180, rename: 60, password: 30, delete: 60 } as const;

const closingOf = perWorld((world: World) => {
  const closing = new AbortController();
  world.onClose(() => closing.abort());
  return closing.signal;
});

/**
 * Goes on with something after so many of RDS's seconds, while the API call that asked for it has been answered. What the
 * end of the rehearsal interrupts is gone on with when its folder is opened again (reopen.ts).
 *
 * @param failed called when the work fails, to leave a status that says so; the reason is in `logs/rds.log`
 */
export function later(world: World, after: number, work: () => Promise<void>, failed: () => void): void {
  const closing = closingOf(world);
  void (async () => {
    try {
      await wait(world.scaled(after), undefined, { signal: closing, ref: false });
      await work();
    } catch (error) {
      if (closing.aborted) return;
      note(world, error);
      failed();
    }
  })();
}

function note(world: World, error: unknown): void {
  const folder = join(world.directory, 'logs');
  mkdirSync(folder, { recursive: true });
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  appendFileSync(join(folder, 'rds.log'), `${new Date().toISOString()} ${words}\n`);
}
