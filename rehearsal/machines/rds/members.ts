import type { World } from '../../world.ts';
import { hasServer, requireFree } from './lifecycle.ts';
import { clusterOf, type MemberRecord, memberRecords } from './records.ts';
import { startServer, stopServer } from './servers.ts';
import { requireAvailable } from './snapshots.ts';
import { later, seconds } from './transitions.ts';

/** Goes on with what the status of a cluster's instance says is under way. */
export function goOnWithMember(world: World, member: MemberRecord): void {
  const after = (time: number, work: typeof arrive) =>
    later(
      world,
      time,
      () => work(world, member),
      () => save(world, { ...member, status: 'failed' }),
    );
  if (member.status === 'creating') after(seconds.instance, arrive);
  if (member.status === 'renaming') after(seconds.rename, finishRename);
  if (member.status === 'deleting') after(seconds.delete, leave);
}

/** Starts to add an instance to a cluster. @throws AwsError DBInstanceAlreadyExists */
export function beginMember(world: World, member: MemberRecord): void {
  requireFree(world, 'instance', member.identifier);
  save(world, member);
  goOnWithMember(world, member);
}

/** Starts to give an instance another identifier. @throws AwsError when it is not available or the identifier is taken */
export function beginMemberRename(world: World, member: MemberRecord, newIdentifier: string): MemberRecord {
  requireAvailable(member);
  requireFree(world, 'instance', newIdentifier);
  return begin(world, { ...member, status: 'renaming', newIdentifier });
}

export function beginMemberDelete(world: World, member: MemberRecord): MemberRecord {
  return begin(world, { ...member, status: 'deleting' });
}

function begin(world: World, member: MemberRecord): MemberRecord {
  save(world, member);
  goOnWithMember(world, member);
  return member;
}

function save(world: World, member: MemberRecord): void {
  memberRecords(world).set(member.identifier, member);
}

/** RDS reboots an instance that it renames. */
async function finishRename(world: World, member: MemberRecord): Promise<void> {
  const { newIdentifier: identifier = member.identifier, ...kept } = member;
  const cluster = clusterOf(world, member);
  if (cluster) await stopServer(world, cluster);
  memberRecords(world).delete(member.identifier);
  await arrive(world, { ...kept, identifier });
}

/** Has the cluster answer, and then says that the instance is available. */
async function arrive(world: World, member: MemberRecord): Promise<void> {
  const cluster = clusterOf(world, member);
  if (cluster?.status === 'available') await startServer(world, cluster);
  save(world, { ...member, status: 'available' });
}

/** A cluster whose last instance is gone answers no more. */
async function leave(world: World, member: MemberRecord): Promise<void> {
  memberRecords(world).delete(member.identifier);
  const cluster = clusterOf(world, member);
  if (cluster && !hasServer(world, cluster)) await stopServer(world, cluster);
}
