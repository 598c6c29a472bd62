import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database.ts';
import { acknowledge } from '../node.ts';
import { RoleProblem } from '../roles/one-off.ts';
import { say, wordsOf } from '../say.ts';
import type { Settings } from '../settings.ts';
import { beginMaintenance, endMaintenance, maintenancePage } from './maintenance.ts';
import { mark, readUpgradingRun, type UpdateRun } from './update-run.ts';

/** The lock of a killed task goes with its connection. */
const LOCK_SECONDS = 60;

/** The time in which one task changes the tables. */
export interface UpgradeWindow {
  readonly run: UpdateRun;
  /** Says in the database how far the task is. */
  enter(stage: string, plugin?: string): Promise<void>;
  /** Returns when the first change may be made. */
  open(withMaintenance: boolean): Promise<void>;
  /** From here on, the way back is not only to end maintenance. */
  changes(): void;
  /** Ends what open() began. @returns seconds that maintenance stood */
  close(): Promise<number>;
}

/**
 * Does a task's work alone, on behalf of the rollout that holds the site.
 *
 * @throws RoleProblem that says whether maintenance was left on: it is when something was changed, because what users
 * write would be lost when the database goes back
 */
export async function inUpgradeWindow<T>(
  database: Database,
  settings: Settings,
  node: string,
  work: (window: UpgradeWindow) => Promise<T>,
): Promise<T> {
  const unlock = await lockTables(
    database,
    'Another task changes the tables of this database (its lock is taken). Nothing was done.',
  );
  const { dataroot } = settings;
  const began = Date.now();
  let changed = false;
  let begunHere = false;
  try {
    const run = await readUpgradingRun(database, settings.site);
    let since = run.maintenance_since;
    const enter = async (stage: string, plugin?: string) => {
      say(`upgrade: ${stage}${plugin ? ` (${plugin})` : ''}`);
      const seconds = Math.round((Date.now() - began) / 1000);
      await acknowledge(database, settings, node, 'upgrade-progress', {
        stage,
        seconds,
        ...(plugin ? { plugin } : {}),
      });
    };
    return await work({
      run,
      enter,
      async open(withMaintenance) {
        if (withMaintenance) begunHere = await beginMaintenance(dataroot);
        if (withMaintenance && since === null) {
          await enter('waiting for requests in flight');
          since = await mark(database, run, 'maintenance_since');
          // A database goes back to a full second: the next one, which must not have seen a change.
          await sleep((Math.ceil(since) - since + 0.05) * 1000);
        }
        if (run.upgrade_started_at === null) await mark(database, run, 'upgrade_started_at');
      },
      changes() {
        changed = true;
      },
      async close() {
        if ((await endMaintenance(dataroot)) !== 'ended') return 0;
        const ended = await mark(database, run, 'maintenance_ended_at');
        return ended - (since ?? ended);
      },
    });
  } catch (error) {
    if (!changed && begunHere) await endMaintenance(dataroot);
    const details = error instanceof RoleProblem ? error.details : {};
    throw new RoleProblem(wordsOf(error), {
      ...details,
      maintenance: (await maintenancePage(dataroot)) !== undefined,
    });
  } finally {
    await unlock();
  }
}

/** @param problem what to say when another task keeps the lock */
export async function lockTables(database: Database, problem: string): Promise<() => Promise<void>> {
  for (const deadline = Date.now() + LOCK_SECONDS * 1000; ; ) {
    const unlock = await database.tryLock('upgrade', stopHalfUpgraded);
    if (unlock) return unlock;
    if (Date.now() > deadline) throw new Error(problem);
    await sleep(500);
  }
}

/** The lock died with its connection: another task may begin, so this one must not write another statement. */
function stopHalfUpgraded(error: Error): never {
  say(`lost the connection that holds the upgrade lock (${wordsOf(error)}); stopping here`);
  process.exit(1);
}
