import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { World } from '../../world.ts';
import { choosePort } from '../ports.ts';
import { copySuperuserPassword, type Postgres, postgresFolder, postgresLog, startPostgres } from '../postgres.ts';
import { ownFolder, serverUser } from '../unprivileged.ts';
import { lastLines } from '../until-ready.ts';
import { copyFolder } from './copy-folder.ts';
import type { RestoreRequest } from './engine.ts';
import { archiveFolder, archiveSettings, prepareArchive, restoreCommand } from './postgres-archive.ts';

/** Left out of a base backup. From PostgreSQL's manual, “Making a Base Backup Using the Low Level API”. */
const emptied = ['pg_dynshmem', 'pg_notify', 'pg_replslot', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'];
const leftOut = /^(postmaster\.(pid|opts)|pg_wal\/.*|recovery\.signal)$|(^|\/)(pgsql_tmp|pg_internal\.init)/;

/** A segment of the write-ahead log, or the history of a timeline. */
const segment = /^[0-9A-F]{24}$/;
const history = /^[0-9A-F]{8}\.history$/;

/**
 * Copies the data of a running server, with the part of its log that makes the copy consistent: it needs nothing else to
 * be restored.
 */
export async function backUpPostgres(
  world: World,
  name: string,
  server: Pick<Postgres, 'asSuperuser'>,
  folder: string,
): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  await server.asSuperuser(async (client) => {
    await client.query("SELECT pg_backup_start('rehearsal', fast => true)");
    await copyFolder(postgresFolder(world, name), unfinished, (path) => !isLeftOut(path));
    // Waits until the log up to here is in the archive.
    const { rows } = await client.query<{ label: string; last: string }>(
      'SELECT labelfile AS label, pg_walfile_name(lsn) AS last FROM pg_backup_stop(wait_for_archive => true)',
    );
    const [{ label, last } = { label: '', last: '' }] = rows;
    writeFileSync(join(unfinished, 'backup_label'), label);
    const first = /\(file ([0-9A-F]{24})\)/.exec(label)?.[1] ?? '';
    await copyLog(archiveFolder(world, name), join(unfinished, 'pg_wal'), first, last);
  });
  renameSync(unfinished, folder);
}

function isLeftOut(path: string): boolean {
  return leftOut.test(path) || emptied.some((folder) => path.startsWith(`${folder}/`));
}

async function copyLog(archive: string, to: string, first: string, last: string): Promise<void> {
  const wanted = (file: string) => (segment.test(file) && file >= first && file <= last) || history.test(file);
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const file of readdirSync(archive).filter(wanted)) await copyFile(join(archive, file), join(to, file));
}

/**
 * Makes the data of a new server from a backup. With `until`, the server is run once, reachable by nobody who does not
 * know its port, to replay the other's log up to that moment.
 *
 * @throws Error with the server's own last words when it cannot replay
 */
export async function restorePostgres(world: World, { backup, from, to, until }: RestoreRequest): Promise<void> {
  const folder = postgresFolder(world, to);
  for (const left of [folder, `${folder}.new`, archiveFolder(world, to)])
    rmSync(left, { recursive: true, force: true });
  await copyFolder(backup, `${folder}.new`, () => true);
  renameSync(`${folder}.new`, folder);
  copySuperuserPassword(world, from, to);
  if (until) await replay(world, from, to, until);
}

async function replay(world: World, from: string, to: string, until: Date): Promise<void> {
  prepareArchive(world, to);
  const folder = postgresFolder(world, to);
  writeFileSync(join(folder, 'recovery.signal'), '');
  ownFolder(folder, serverUser());
  const server = await startPostgres(world, to, {
    port: await choosePort(world, `replay/${to}`),
    settings: {
      ...archiveSettings(world, to),
      restore_command: restoreCommand(world, from),
      // PostgreSQL does not take a setting in ISO 8601.
      recovery_target_time: until.toISOString().replace('T', ' ').replace('Z', '+00'),
      recovery_target_action: 'promote',
    },
  });
  try {
    while (await server.asSuperuser(isReplaying)) await wait(50);
  } catch (error) {
    throw new Error(`The log of ${from} could not be replayed: ${String(error)}\n${lastLines(postgresLog(world, to))}`);
  } finally {
    await server.stop();
  }
}

async function isReplaying(client: { query(sql: string): Promise<{ rows: unknown[] }> }): Promise<boolean> {
  const [row] = (await client.query('SELECT pg_is_in_recovery() AS replaying')).rows as { replaying: boolean }[];
  return row?.replaying ?? false;
}
