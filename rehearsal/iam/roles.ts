import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import { isKnownOperator } from './conditions.ts';
import { managedPolicies } from './managed-policies.ts';
import { checkDocument, listOf, type PolicyDocument } from './policy.ts';

export interface Role {
  readonly roleName: string;
  readonly roleArn: string;
  /** Services that the trust policy lets take on the role, for example `lambda.amazonaws.com`. */
  readonly trusted: readonly string[];
  /** Documents by policy name: the role's own, attached ones and AWS's managed ones. */
  readonly policies: Map<string, PolicyDocument>;
}

/** The roles of the deployed templates by ARN. They come from the templates anew at each start. */
export const rolesOf = perWorld(() => new Map<string, Role>());

/** @throws Error when no template made the role */
export function findRole(world: World, roleArn: string): Role {
  const role = rolesOf(world).get(roleArn);
  if (!role) throw new Error(`There is no role ${roleArn}. Only roles of the deployed templates exist here.`);
  return role;
}

export function findRoleByName(world: World, roleName: string): Role | undefined {
  return [...rolesOf(world).values()].find((role) => role.roleName === roleName);
}

/** @throws Error when the document has something that the evaluation does not understand */
export function attachPolicy(role: Role, policyName: string, document: PolicyDocument): void {
  checkDocument(document, isKnownOperator);
  role.policies.set(policyName, document);
}

/** @throws Error for a managed policy whose document is not known here */
export function attachManagedPolicy(role: Role, policyArn: string): void {
  const name = policyArn.replace(/^arn:aws:iam::aws:policy\//, '');
  const document = managedPolicies[name];
  if (!document) {
    throw new Error(
      `The rehearsal does not know the document of the managed policy ${policyArn}. Add it to managed-policies.ts.`,
    );
  }
  attachPolicy(role, policyArn, document);
}

/**
 * Refuses a service the use of a role that does not trust it, as Lambda, ECS and Step Functions do at creation.
 *
 * @throws Error that names both
 */
export function requireTrust(world: World, roleArn: string, service: string): void {
  const { trusted, roleName } = findRole(world, roleArn);
  if (!trusted.includes(service)) throw new Error(`The role ${roleName} does not trust ${service} to assume it.`);
}

/** The services that a trust policy names. */
export function trustedServices(document: { Statement?: unknown }): string[] {
  return listOf(document.Statement).flatMap((statement) => {
    const { Effect, Principal } = statement as { Effect?: string; Principal?: { Service?: string | string[] } };
    return Effect === 'Allow' ? [...listOf(Principal?.Service)] : [];
  }) as string[];
}
