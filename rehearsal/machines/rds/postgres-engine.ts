import { rmSync } from 'node:fs';
import type { World } from '../../world.ts';
import { type Postgres, postgresFolder, startPostgres } from '../postgres.ts';
import type { DatabaseEngine, RunningServer } from './engine.ts';
import { archiveFolder, archiveNow, archiveSettings, prepareArchive } from './postgres-archive.ts';
import { backUpPostgres, restorePostgres } from './postgres-backup.ts';

interface RunningPostgres extends RunningServer, Pick<Postgres, 'asSuperuser'> {}

/** PostgreSQL with physical backups and an archive of its write-ahead log, which is what RDS itself restores from. */
export const postgresEngine: DatabaseEngine = {
  family: 'postgres',
  pointInTime: true,
  async start(world, name, port, parameters): Promise<RunningPostgres> {
    checkParameters(parameters);
    prepareArchive(world, name);
    const server = await startPostgres(world, name, { port, settings: archiveSettings(world, name) });
    return { ...server, archive: () => archiveNow(server) };
  },
  backUp: (world, name, server, folder) => backUpPostgres(world, name, server as RunningPostgres, folder),
  restore: restorePostgres,
  remove(world: World, name: string) {
    for (const folder of [postgresFolder(world, name), archiveFolder(world, name)]) {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** TLS is asked for in any case. */
function checkParameters(parameters: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'rds.force_ssl' && value === '1') continue;
    throw new Error(`the rehearsal's PostgreSQL does not know the parameter ${name}=${value}.`);
  }
}
