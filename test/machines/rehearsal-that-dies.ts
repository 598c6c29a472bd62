/** Starts what a rehearsal starts, prints the process ids, and waits to be killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { keeperOf } from '../../rehearsal/machines/process-keeper.ts';
import { makeWorld } from './make-world.ts';

const world = await makeWorld();
const env = { PATH: process.env.PATH ?? '' };
keeperOf(world).discardAfterDeath(world.directory);
// One that ignores the polite signal, with a child that leaves the process group.
const script = 'trap "" TERM INT HUP; setsid sleep 600 & echo $!; sleep 601 & echo $!; wait';
const shell = await keeperOf(world).start('sh', ['-c', script], { env });
let descendants = '';
for await (const data of shell.process.stdout ?? []) {
  descendants += data;
  if (descendants.trim().split('\n').length === 2) break;
}
await startPostgres(world, 'demo');
const postmaster = readFileSync(join(world.directory, 'postgres/demo/postmaster.pid'), 'utf8').split('\n')[0];
const pids = [shell.pid, ...descendants.trim().split('\n').map(Number), Number(postmaster)];
console.log(JSON.stringify({ pids, directory: world.directory }));
setInterval(() => {}, 1_000);
