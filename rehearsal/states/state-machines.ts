import { AwsError } from '../endpoint/service.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import type { Definition } from './definition.ts';

export interface StateMachine {
  readonly name: string;
  readonly stateMachineArn: string;
  readonly roleArn: string;
  /** As it was deployed, substitutions made; what the API shows. */
  readonly definitionText: string;
  readonly definition: Definition;
  readonly created: Date;
  readonly tags: Readonly<Record<string, string>>;
}

/** By ARN. */
export const stateMachinesOf = perWorld(() => new Map<string, StateMachine>());

/** @throws AwsError StateMachineDoesNotExist */
export function requireStateMachine(world: World, stateMachineArn: string): StateMachine {
  const found = stateMachinesOf(world).get(stateMachineArn);
  if (found) return found;
  throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
}
