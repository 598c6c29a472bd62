import { AwsError, type Permission, type Principal, type Service } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { evaluate } from './evaluate.ts';
import { findRole } from './roles.ts';

/**
 * Lets a call of a role pass, or answers as AWS does when its policies do not allow it.
 *
 * @param service only for the form of the error: the query protocol's services name it differently
 * @throws AwsError AccessDeniedException (AccessDenied, AuthorizationError)
 */
export function authorize(
  world: World,
  principal: Principal & { kind: 'role' },
  permission: Permission,
  service?: Pick<Service, 'protocol' | 'signingName'>,
): void {
  const role = findRole(world, principal.roleArn);
  const decision = evaluate([...role.policies.values()], {
    ...permission,
    conditions: {
      'aws:RequestedRegion': world.region,
      'aws:PrincipalArn': role.roleArn,
      'aws:PrincipalAccount': world.account,
      'aws:SecureTransport': 'true',
      ...permission.conditions,
    },
  });
  if (decision === 'allowed') return;
  const session = `arn:${world.partition}:sts::${world.account}:assumed-role/${role.roleName}/${principal.sessionName ?? 'rehearsal'}`;
  const reason =
    decision === 'explicitly denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${permission.action} action`;
  throw new AwsError(
    codeOf(service),
    `User: ${session} is not authorized to perform: ${permission.action} on resource: ${permission.resource} ${reason}`,
    ['query', 'rest-json', 'rest-xml'].includes(service?.protocol ?? '') ? 403 : 400,
  );
}

function codeOf(service: Pick<Service, 'protocol' | 'signingName'> | undefined): string {
  if (service?.signingName === 'sns') return 'AuthorizationError';
  return service?.protocol === 'query' || service?.protocol === 'rest-xml' ? 'AccessDenied' : 'AccessDeniedException';
}
