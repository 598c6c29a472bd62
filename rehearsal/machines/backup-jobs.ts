import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from '../endpoint/service.ts';
import { perWorld } from '../per-world.ts';
import { arn, type World } from '../world.ts';
import { filesOf, sharedFolder } from './files.ts';
import { keeperOf } from './process-keeper.ts';
import { lastLines } from './until-ready.ts';

/** What AWS Backup takes for a small file system at the least; it passes at the rehearsal's pace. */
const BACKUP_SECONDS = 60;

/** Names of the templates' vaults. */
export const vaultsOf = perWorld(() => new Set<string>());

/** A copy of a file system, made or being made. Moments are milliseconds since 1970. */
export interface BackupJob {
  readonly id: string;
  readonly vault: string;
  readonly resourceArn: string;
  readonly roleArn: string;
  readonly recoveryPointArn: string;
  readonly state: 'RUNNING' | 'COMPLETED' | 'FAILED';
  readonly created: number;
  readonly completed?: number;
  readonly problem?: string;
  readonly deleteAfterDays?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly idempotencyToken?: string;
  /** Folder of the copy. */
  readonly folder: string;
}

/** By id. */
export function backupJobsOf(world: Pick<World, 'state'>) {
  return world.state.collection<BackupJob>('backup-jobs');
}

export type BackupRequest = Pick<
  BackupJob,
  'vault' | 'resourceArn' | 'roleArn' | 'tags' | 'deleteAfterDays' | 'idempotencyToken'
>;

/**
 * Starts to copy a file system and returns; it goes on by itself. The same token gives the job of the first call.
 *
 * @throws AwsError ResourceNotFoundException; UnsupportedParameter for a resource that is no file system
 */
export function startBackup(world: World, request: BackupRequest): BackupJob {
  const { idempotencyToken, resourceArn } = request;
  const jobs = backupJobsOf(world);
  const before = jobs
    .entries()
    .map(([, job]) => job)
    .find((job) => idempotencyToken !== undefined && job.idempotencyToken === idempotencyToken);
  if (before) return before;
  const fileSystem = [...filesOf(world).fileSystems.values()].find((one) => one.fileSystemArn === resourceArn);
  if (!fileSystem) {
    throw resourceArn.includes(':elasticfilesystem:')
      ? new AwsError('ResourceNotFoundException', `There is no file system ${resourceArn}.`)
      : new AwsError('UnsupportedParameter', `The rehearsal backs file systems up, not ${resourceArn}.`);
  }
  const id = randomUUID();
  const job: BackupJob = {
    ...request,
    id,
    recoveryPointArn: arn(world, 'backup', `recovery-point:${randomUUID()}`),
    state: 'RUNNING',
    created: Date.now(),
    folder: join(world.directory, 'backups', `files-${id}`),
  };
  jobs.set(id, job);
  void run(world, job, sharedFolder(world, fileSystem.fileSystemId, '/'));
  return job;
}

async function run(world: World, job: BackupJob, source: string): Promise<void> {
  const atLeast = wait(world.scaled(BACKUP_SECONDS), undefined, { ref: false });
  const problem = await copy(world, source, job.folder).catch(String);
  await atLeast;
  const completed = Date.now();
  if (problem !== undefined) rmSync(job.folder, { recursive: true, force: true });
  backupJobsOf(world).set(
    job.id,
    problem === undefined ? { ...job, state: 'COMPLETED', completed } : { ...job, state: 'FAILED', completed, problem },
  );
}

const vanished = /^cp: cannot (stat|open|access) .*: No such file or directory$/;

/** With owners, modes and moments; what vanishes meanwhile is left out, as in a backup of EFS. @returns a problem */
async function copy(world: World, source: string, folder: string): Promise<string | undefined> {
  const logFile = join(world.directory, 'logs', 'backups.log');
  const words = ['--archive', '--reflink=auto', `${source}/.`, folder];
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const started = await keeperOf(world).start('cp', words, { env, logFile });
  const { code } = await started.exited;
  if (code === 0) return undefined;
  const said = lastLines(logFile, 100).split('\n');
  return said.every((line) => vanished.test(line)) ? undefined : said.at(-1);
}

/** What a rehearsal that ended left half copied will not be finished. */
export function failLeftBackups(world: Pick<World, 'state'>): void {
  for (const [id, job] of backupJobsOf(world).entries()) {
    if (job.state !== 'RUNNING') continue;
    rmSync(job.folder, { recursive: true, force: true });
    const problem = 'The rehearsal ended while the backup ran.';
    backupJobsOf(world).set(id, { ...job, state: 'FAILED', completed: Date.now(), problem });
  }
}
