import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import type { World } from '../../world.ts';
import type { Postgres } from '../postgres.ts';
import { ownFolder, serverUser } from '../unprivileged.ts';

/** Twice what passes before PostgreSQL tries anew by itself (pgarch.c: PGARCH_AUTOWAKE_INTERVAL). */
const ARCHIVE_MILLISECONDS = 120_000;

/** Where the server of that name keeps the finished segments of its write-ahead log. */
export function archiveFolder(world: Pick<World, 'directory'>, name: string): string {
  return join(world.directory, 'postgres-archive', name);
}

export function prepareArchive(world: Pick<World, 'directory'>, name: string): void {
  ownFolder(archiveFolder(world, name), serverUser());
}

/**
 * Settings that have a server archive its log. A segment is linked and not copied; that is safe because without
 * recycling a finished segment is never written to again, only removed.
 */
export function archiveSettings(world: Pick<World, 'directory'>, name: string): Record<string, string> {
  const target = `${shellWord(archiveFolder(world, name))}/%f`;
  return {
    archive_mode: 'on',
    // A server that was killed may ask for the same segment again.
    archive_command: `ln %p ${target} 2>/dev/null || test %p -ef ${target}`,
    wal_recycle: 'off',
    wal_init_zero: 'off',
  };
}

/** The command that brings a segment back from the archive of the server of that name. */
export function restoreCommand(world: Pick<World, 'directory'>, name: string): string {
  return `cp ${shellWord(archiveFolder(world, name))}/%f %p`;
}

/** In PostgreSQL's commands a percent sign stands for something. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`;
}

/**
 * Archives what is in the unfinished segment. It ends with a commit, as recovery to a moment needs one after that moment
 * to stop at.
 */
export function archiveNow(server: Pick<Postgres, 'asSuperuser'>): Promise<void> {
  return server.asSuperuser(async (client) => {
    // A transaction that has a number, though it changes nothing.
    await client.query('SELECT pg_current_xact_id()');
    const { rows } = await client.query<{ file: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS file');
    const deadline = Date.now() + ARCHIVE_MILLISECONDS;
    while (!(await isArchived(client, rows[0]?.file, Date.now() > deadline))) await wait(20);
  });
}

/** @throws Error when it is not, and should be by now */
async function isArchived(client: Client, file: string | undefined, isLate: boolean): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean | null; archived: string | null; failed: string | null }>(
    `SELECT last_archived_wal >= $1 AS done, last_archived_wal AS archived, last_failed_wal AS failed
       FROM pg_stat_archiver`,
    [file],
  );
  const { done, archived, failed } = rows[0] ?? {};
  if (!done && isLate) {
    throw new Error(`PostgreSQL has not archived ${file}: the last that it archived is ${archived}, failed ${failed}.`);
  }
  return done ?? false;
}
