import { authorize } from '../iam/authorize.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import { AwsError, type Operation, type OperationContext, type Service } from './service.ts';

/** The services of a world by their signing names. */
export const servicesOf = perWorld(() => new Map<string, Service>());

/** @throws AwsError UnsupportedOperation when no such service is rehearsed */
export function findService(world: World, signingName: string): Service {
  const service = servicesOf(world).get(signingName);
  if (!service) {
    throw new AwsError('UnsupportedOperation', `The rehearsal does not have the AWS service “${signingName}”.`);
  }
  return service;
}

/**
 * One API call, whether it came over the wire or from a state machine: refuses what it does not know, asks IAM, runs.
 *
 * @throws AwsError as the API would answer it; UnsupportedOperation and UnsupportedParameter for what is not rehearsed
 */
export async function callOperation(
  world: World,
  service: Service,
  operationName: string,
  input: Readonly<Record<string, unknown>>,
  context: OperationContext,
): Promise<object> {
  const operation = findOperation(service, operationName);
  refuseUnknownMembers(service, operationName, operation, input);
  requireMembers(operation, input);
  if (context.principal.kind === 'role') {
    for (const permission of operation.permissions(input)) authorize(world, context.principal, permission, service);
  }
  return operation.run(input, context);
}

function findOperation(service: Service, name: string): Operation {
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (!operation) {
    throw new AwsError(
      'UnsupportedOperation',
      `The rehearsal does not have the operation ${service.signingName}:${name}. Nothing was done.`,
    );
  }
  return operation;
}

function refuseUnknownMembers(service: Service, name: string, operation: Operation, input: object): void {
  const unknown = Object.keys(input).filter((member) => !operation.members.includes(member));
  if (unknown.length === 0) return;
  throw new AwsError(
    'UnsupportedParameter',
    `The rehearsal does not know the parameter ${unknown.join(', ')} of ${service.signingName}:${name}. Nothing was done.`,
  );
}

function requireMembers(operation: Operation, input: Readonly<Record<string, unknown>>): void {
  const missing = (operation.required ?? []).filter((member) => input[member] === undefined || input[member] === null);
  if (missing.length === 0) return;
  const problems = missing.map(
    (member) => `Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
  throw new AwsError(
    'ValidationException',
    `${missing.length} validation error${missing.length === 1 ? '' : 's'} detected: ${problems.join('; ')}`,
  );
}
