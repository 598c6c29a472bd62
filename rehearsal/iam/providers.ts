import { physicalName } from '../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../template/provider.ts';
import { arn, type World } from '../world.ts';
import type { PolicyDocument } from './policy.ts';
import { attachManagedPolicy, attachPolicy, findRoleByName, type Role, rolesOf, trustedServices } from './roles.ts';

interface NamedPolicy {
  readonly PolicyName: string;
  readonly PolicyDocument: PolicyDocument;
}

const role: ResourceProvider = {
  type: 'AWS::IAM::Role',
  properties: [
    'AssumeRolePolicyDocument',
    'Description',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'Path',
    'Policies',
    'RoleName',
    'Tags',
  ],
  create(resource, world) {
    const { properties } = resource;
    const roleName = properties.RoleName ?? physicalName(world, resource, 64);
    const roleArn = arn({ ...world, region: '' }, 'iam', `role${properties.Path ?? '/'}${roleName}`);
    const made: Role = {
      roleName,
      roleArn,
      trusted: trustedServices(properties.AssumeRolePolicyDocument),
      policies: new Map(),
    };
    for (const { PolicyName, PolicyDocument } of (properties.Policies ?? []) as NamedPolicy[]) {
      attachPolicy(made, PolicyName, PolicyDocument);
    }
    for (const policyArn of (properties.ManagedPolicyArns ?? []) as string[]) attachManagedPolicy(made, policyArn);
    rolesOf(world).set(roleArn, made);
    return { ref: roleName, attributes: { Arn: roleArn, RoleId: roleName } };
  },
};

const policy: ResourceProvider = {
  type: 'AWS::IAM::Policy',
  properties: ['PolicyDocument', 'PolicyName', 'Roles'],
  create(resource, world) {
    attachToRoles(resource, world, resource.properties.PolicyName);
    return { ref: resource.properties.PolicyName, attributes: { Id: resource.properties.PolicyName } };
  },
};

const managedPolicy: ResourceProvider = {
  type: 'AWS::IAM::ManagedPolicy',
  properties: ['Description', 'ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles'],
  create(resource, world) {
    const name = resource.properties.ManagedPolicyName ?? physicalName(world, resource, 128);
    attachToRoles(resource, world, name);
    const policyArn = arn({ ...world, region: '' }, 'iam', `policy/${name}`);
    return { ref: policyArn, attributes: { PolicyArn: policyArn } };
  },
};

function attachToRoles(resource: ResolvedResource, world: World, name: string): void {
  for (const roleName of (resource.properties.Roles ?? []) as string[]) {
    const found = findRoleByName(world, roleName);
    if (!found) throw new Error(`There is no role ${roleName} to attach the policy to.`);
    attachPolicy(found, `${resource.stackName}/${name}`, resource.properties.PolicyDocument);
  }
}

export const iamProviders: readonly ResourceProvider[] = [role, policy, managedPolicy];
