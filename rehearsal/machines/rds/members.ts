import type { World } from '../../world.ts';
import { hasServer, requireFree } from './lifecycle.ts';
import { clusterOf, type MemberRecord, memberRecords } from './records.ts';
import { startServer, stopServer } from './servers.ts';
import { requireAvailable } from './snapshots.ts';
import { later, seconds } from './transitions.ts';

/** Goes on with what the status of a cluster's instance says is under way. */
export function goOnWithMember(world: World, member: MemberRecord): void {
  if (member.status === 'creating')
    later(world, seconds.instance, () => arrive(world, { ...member, status: 'available' }));
  if (member.status === 'renaming') later(world, seconds.rename, () => finishRename(world, member));
  if (member.status === 'deleting') later(world, seconds.delete, () => leave(world, member));
}

/** Starts to add an instance to a cluster. @throws AwsError DBInstanceAlreadyExists */
export function beginMember(world: World, member: MemberRecord): void {
  requireFree(world, 'instance', member.identifier);
  memberRecords(world).set(member.identifier, member);
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
  memberRecords(world).set(member.identifier, member);
  goOnWithMember(world, member);
  return member;
}

/** RDS reboots an instance that it renames. */
async function finishRename(world: World, member: MemberRecord): Promise<void> {
  const { newIdentifier: identifier = member.identifier, ...kept } = member;
  const cluster = clusterOf(world, member);
  if (cluster) await stopServer(world, cluster);
  memberRecords(world).delete(member.identifier);
  await arrive(world, { ...kept, identifier, status: 'available' });
}

/** Has the cluster answer, and then says that the instance is available. */
async function arrive(world: World, member: MemberRecord): Promise<void> {
  const cluster = clusterOf(world, member);
  if (cluster?.status === 'available') await startServer(world, cluster);
  memberRecords(world).set(member.identifier, member);
}

/** A cluster whose last instance is gone answers no more. */
async function leave(world: World, member: MemberRecord): Promise<void> {
  memberRecords(world).delete(member.identifier);
  const cluster = clusterOf(world, member);
  if (cluster && !hasServer(world, cluster)) await stopServer(world, cluster);
}
