import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { attachPolicy, rolesOf } from '../../rehearsal/iam/roles.ts';
import { secretsOf, updateSecret } from '../../rehearsal/services/secrets-store.ts';
import type { Site } from './site.ts';

/** For every phase, an AWS API that its function cannot do without. */
export const phaseFaults = [
  { phase: 'Check the site', function: 'CheckSite', action: 'elasticache:DescribeReplicationGroups' },
  { phase: 'Build image', function: 'BuildImage', action: 'codebuild:StartBuild' },
  { phase: 'Start one node', function: 'StartOneNode', action: 'ecs:UpdateService' },
  { phase: 'Wait for install', function: 'WaitForInstall', action: 'rds-data:ExecuteStatement' },
  { phase: 'Fix lastip', function: 'FixLastip', action: 'rds-data:ExecuteStatement' },
  { phase: 'Configure cache stores', function: 'ConfigureCacheStores', action: 'ecs:RunTask' },
  { phase: 'Enable session caching', function: 'EnableSessionCaching', action: 'ssm:PutParameter' },
  { phase: 'Scale out', function: 'ScaleOut', action: 'application-autoscaling:RegisterScalableTarget' },
  { phase: 'Verify the site', function: 'VerifySite', action: 'secretsmanager:GetSecretValue' },
  { phase: 'Release the site', function: 'ReleaseSite', action: 'rds-data:ExecuteStatement' },
];

/** For every phase of a plugin update that can fail, an AWS API that its function cannot do without. */
export const updateFaults = [
  { phase: 'Check the site', function: 'CheckSiteForUpdate', action: 'ecs:DescribeServices' },
  { phase: 'Find updates', function: 'FindUpdates', action: 'ssm:GetParameters' },
  { phase: 'Build image', function: 'BuildImage', action: 'codebuild:StartBuild' },
  { phase: 'Take snapshot', function: 'TakeSnapshot', action: 'rds:CreateDBClusterSnapshot' },
  { phase: 'Wait for approval', function: 'RequestApproval', action: 'sns:Publish' },
  { phase: 'Upgrade', function: 'UpgradeSite', action: 'ecs:RunTask' },
  { phase: 'Roll nodes', function: 'RollNodes', action: 'application-autoscaling:RegisterScalableTarget' },
  { phase: 'Verify the site', function: 'VerifySite', action: 'secretsmanager:GetSecretValue' },
];

/** Denies an action to the role of one phase's function, until the returned function is called. */
export function deny(site: Site, phaseFunction: string, action: string): () => void {
  const roles = [...rolesOf(site.account.world).values()].filter(({ roleName }) =>
    roleName.includes(`${phaseFunction}Role`),
  );
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

/**
 * Gives a secret of the platform another value, as a rotation gone wrong would. Returns what puts it right.
 *
 * @param mark what the secret alone has in its name or value
 */
export function spoil(
  site: Site,
  mark: string,
  change: (text: string) => string = () => 'another-password-than-the-server-has',
): () => void {
  const { world } = site.account;
  const found = [...secretsOf(world).entries()]
    .map(([, secret]) => secret)
    .filter(({ name, secretString }) => name.includes(mark) || secretString.includes(mark));
  const [secret] = found;
  if (found.length !== 1 || !secret) throw new Error(`${found.length} secrets have ${mark} in their name or value.`);
  const spoiled = updateSecret(world, secret, change(secret.secretString));
  return () => {
    updateSecret(world, spoiled, secret.secretString);
  };
}

/** Kills the processes of a phase's function, as Lambda's own trouble would. Returns how many processes that were. */
export function killFunction(site: Site, phaseFunction: string): number {
  const { endpoint } = site.account;
  const isFunction = (pid: string) => {
    const environment = environmentOf(pid);
    return (
      environment.some((entry) => entry.startsWith('AWS_LAMBDA_FUNCTION_NAME=') && entry.includes(phaseFunction)) &&
      environment.some((entry) => entry.startsWith('AWS_ENDPOINT_URL=') && entry.endsWith(endpoint))
    );
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isFunction(name));
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
  return pids.length;
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
    return basename(words[0] ?? '') === program && words.some((word) => word.includes(directory));
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
