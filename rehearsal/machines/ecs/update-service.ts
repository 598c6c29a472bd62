import { AwsError } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import type { ServiceScheduler } from './scheduler.ts';
import { findTaskDefinition } from './task-definitions.ts';
import type { DeploymentConfiguration, NetworkConfiguration } from './types.ts';

export interface UpdateServiceInput {
  readonly desiredCount?: number;
  readonly taskDefinition?: string;
  readonly forceNewDeployment?: boolean;
  readonly healthCheckGracePeriodSeconds?: number;
  readonly deploymentConfiguration?: Partial<DeploymentConfiguration>;
  readonly enableExecuteCommand?: boolean;
  readonly networkConfiguration?: NetworkConfiguration;
}

const DEPLOYMENT_MEMBERS = ['maximumPercent', 'minimumHealthyPercent', 'deploymentCircuitBreaker'];

/**
 * Changes a service. Another task definition, another network or force starts a deployment; capacity, grace period and
 * deployment configuration do not.
 *
 * @throws AwsError InvalidParameterException, ClientException, UnsupportedParameter; then nothing was changed
 */
export function updateService(world: World, service: ServiceScheduler, input: UpdateServiceInput): void {
  const { record } = service;
  const definition = findTaskDefinition(world, input.taskDefinition ?? record.taskDefinition).taskDefinitionArn;
  check(service, input);
  const deploys =
    input.forceNewDeployment === true ||
    definition !== record.taskDefinition ||
    (input.networkConfiguration !== undefined &&
      JSON.stringify(input.networkConfiguration) !== JSON.stringify(record.networkConfiguration));
  record.healthCheckGracePeriodSeconds = input.healthCheckGracePeriodSeconds ?? record.healthCheckGracePeriodSeconds;
  record.deploymentConfiguration = { ...record.deploymentConfiguration, ...input.deploymentConfiguration };
  record.enableExecuteCommand = input.enableExecuteCommand ?? record.enableExecuteCommand;
  record.networkConfiguration = input.networkConfiguration ?? record.networkConfiguration;
  if (deploys) service.deploy(definition);
  service.scale(input.desiredCount ?? record.desiredCount);
}

function check({ record }: ServiceScheduler, input: UpdateServiceInput): void {
  const { desiredCount, healthCheckGracePeriodSeconds: grace, deploymentConfiguration = {} } = input;
  if (desiredCount !== undefined && (!Number.isInteger(desiredCount) || desiredCount < 0)) {
    throw new AwsError('InvalidParameterException', 'desiredCount is a whole number from 0.');
  }
  if (grace !== undefined && record.loadBalancers.length === 0) {
    throw new AwsError(
      'InvalidParameterException',
      'Health check grace period is only valid for services configured to use load balancers.',
    );
  }
  const unknown = Object.keys(deploymentConfiguration).filter((member) => !DEPLOYMENT_MEMBERS.includes(member));
  if (unknown.length > 0) {
    throw new AwsError('UnsupportedParameter', `The rehearsal does not know ${unknown} of a deployment configuration.`);
  }
}
