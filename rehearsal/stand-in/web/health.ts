import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../database.ts';
import { STAND_IN } from '../say.ts';
import { MOODLE_VERSION } from '../version.ts';
import type { PageAnswer } from './exchange.ts';
import type { SiteParts } from './site.ts';

/** Whether this node can serve users now: 200 or 503, and which of its parts it can reach. */
export async function readiness({ database, sessions, settings, node }: SiteParts): Promise<PageAnswer> {
  const config = await readConfig(database).catch(() => undefined);
  const checks = {
    database: config !== undefined,
    files: await succeeds(() => roundTrip(join(settings.dataroot, 'stand-in-health'), node)),
    sessionStore: await succeeds(() => sessions.check()),
    version: config?.get('version') === MOODLE_VERSION,
  };
  return {
    status: Object.values(checks).every(Boolean) ? 200 : 503,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ checks, moodle: STAND_IN }),
  };
}

async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

async function roundTrip(folder: string, node: string): Promise<void> {
  const file = join(folder, node);
  await mkdir(folder, { recursive: true });
  await writeFile(file, node);
  if ((await readFile(file, 'utf8')) !== node) throw new Error(`${file} does not hold what was written`);
  await rm(file, { force: true });
}
