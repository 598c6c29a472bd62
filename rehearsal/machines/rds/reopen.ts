import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { endpointPort, goOn, open } from './lifecycle.ts';
import { goOnWithMember } from './members.ts';
import { allDatabases, databaseRecords, keyOf, memberRecords } from './records.ts';
import { failLeftSnapshots } from './snapshots.ts';

/**
 * Starts the databases that an earlier rehearsal left in the folder, those that rollouts made among them, and goes on
 * with what was under way. Once per rehearsal.
 */
export const reopenDatabases = perWorld(async (world: World): Promise<void> => {
  failLeftSnapshots(world);
  for (const left of allDatabases(world)) {
    const record = { ...left, port: await endpointPort(world, left.identifier) };
    databaseRecords(world).set(keyOf(record), record);
    if (record.status === 'available') await open(world, record);
    else goOn(world, record);
  }
  for (const [, member] of memberRecords(world).entries()) goOnWithMember(world, member);
});
