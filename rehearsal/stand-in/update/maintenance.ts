import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { page } from '../web/pages.ts';

/** Ours bears the image's mark, so that the maintenance that an administrator began is never ended. */
const MARK = '<!-- moodle-lifecycle -->';

/** Maintenance as Moodle's own command has it: while this file is on the shared volume, every page of every node is it. */
const fileIn = (dataroot: string) => join(dataroot, 'climaintenance.html');

/** What visitors see while maintenance is on; undefined while it is off. */
export async function maintenancePage(dataroot: string): Promise<string | undefined> {
  try {
    return await readFile(fileIn(dataroot), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns whether it is on because of this call */
export async function beginMaintenance(dataroot: string): Promise<boolean> {
  if ((await maintenancePage(dataroot)) !== undefined) return false;
  const file = fileIn(dataroot);
  const words = '<p>This site is undergoing maintenance and is currently not available.</p>';
  await writeFile(`${file}.${process.pid}`, `${page('Maintenance', 'page-maintenance-message', words)}\n${MARK}\n`);
  await rename(`${file}.${process.pid}`, file);
  return true;
}

export async function endMaintenance(dataroot: string): Promise<'ended' | 'was off' | 'not ours'> {
  const text = await maintenancePage(dataroot);
  if (text === undefined) return 'was off';
  if (!text.includes(MARK)) return 'not ours';
  await rm(fileIn(dataroot));
  return 'ended';
}
