import { readdirSync, readFileSync } from 'node:fs';
import { attachPolicy, rolesOf } from '../../rehearsal/iam/roles.ts';
import type { Site } from './site.ts';

/** Denies an action to the role of one phase's function, until the returned function is called. */
export function deny(site: Site, phaseFunction: string, action: string): () => void {
  const roles = [...rolesOf(site.account.world).values()].filter(({ roleName }) => roleName.includes(phaseFunction));
  const [role] = roles;
  if (roles.length !== 1 || !role) throw new Error(`${roles.length} roles are named like ${phaseFunction}.`);
  attachPolicy(role, 'fault', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: action, Resource: '*' }],
  });
  return () => {
    role.policies.delete('fault');
  };
}

/** Kills a node as a lost host would, with no signal that it could act upon. Returns how many processes that were. */
export function killNode(nodeId: string): number {
  const isNode = (pid: string) =>
    environmentOf(pid).some((entry) => entry.startsWith('ECS_CONTAINER_METADATA_URI_V4=') && entry.endsWith(nodeId));
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isNode(name));
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
  return pids.length;
}

/** Kills a server of the site that works in the site's folder. */
export function killServer(site: Site, program: string): void {
  const { directory } = site.account.world;
  const pids = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const words = wordsOf(name);
    return words[0]?.endsWith(`/${program}`) && words.some((word) => word.includes(directory));
  });
  if (pids.length === 0) throw new Error(`No ${program} works in ${directory}.`);
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
}

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
