import { findFunction } from '../lambda/functions.ts';
import type { World } from '../world.ts';
import { callbackResource, callbackTask, checkCallback } from './callback-task.ts';
import type { State } from './definition.ts';
import { functionTask } from './function-task.ts';
import { publishTask } from './publish-task.ts';
import type { Task } from './task.ts';

const snsPublish = 'arn:aws:states:::sns:publish';

/**
 * How a task state is stood in for.
 *
 * @throws Error for one that the rehearsal cannot run, when the state machine is made
 */
export function taskFor(world: World, stateName: string, state: State): Task {
  const { Resource: resource = '' } = state;
  if (resource === snsPublish) return publishTask;
  if (resource === callbackResource) {
    checkCallback(world, stateName, state);
    return callbackTask;
  }
  if (/^arn:aws:lambda:[^:]+:\d+:function:/.test(resource)) {
    if (!findFunction(world, resource)) throw new Error(`state “${stateName}”: there is no function ${resource}.`);
    return functionTask;
  }
  throw new Error(`state “${stateName}”: the rehearsal cannot run the resource ${resource}.`);
}
