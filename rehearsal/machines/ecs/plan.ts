import type { DeploymentConfiguration } from './types.ts';

/** A task of a service that is wanted running. */
export interface PlannedTask {
  readonly id: string;
  /** Whether it is of the deployment that the service is going to. */
  readonly primary: boolean;
  /** Running, and healthy for the load balancer and the container's own check. */
  readonly healthy: boolean;
}

export interface Plan {
  /** How many tasks of the primary deployment to start now. */
  readonly start: number;
  /** Ids of tasks to stop now. */
  readonly stop: readonly string[];
}

/**
 * What a rolling deployment does next. The minimum rounds up, the maximum down. New tasks are started as far as the
 * maximum allows; old ones go when healthy ones are more than wanted, or, where the maximum leaves no room for a new
 * one, as far as the minimum allows.
 *
 * @param tasks the oldest first
 * @param mayStart false while starts are held back after failures
 */
export function plan(
  desired: number,
  { minimumHealthyPercent, maximumPercent }: DeploymentConfiguration,
  tasks: readonly PlannedTask[],
  mayStart: boolean,
): Plan {
  const least = Math.ceil((desired * minimumHealthyPercent) / 100);
  const most = Math.floor((desired * maximumPercent) / 100);
  const fresh = tasks.filter(({ primary }) => primary);
  const old = tasks.filter(({ primary }) => !primary);
  const tooMany = fresh.slice(desired);
  const missing = Math.max(0, desired - fresh.length);
  const healthy = tasks.filter((task) => task.healthy).length - tooMany.filter((task) => task.healthy).length;
  const room = Math.max(0, most - (tasks.length - tooMany.length));
  // An old task that is not healthy serves nobody: it goes once there is anything to replace it or nothing is wanted.
  const ailing = old.filter((task) => !task.healthy && (desired === 0 || missing === 0 || room === 0));
  const spare = missing > 0 && room === 0 ? healthy - least : healthy - desired;
  const surplus = old.filter((task) => task.healthy).slice(0, Math.max(0, spare));
  return {
    start: mayStart ? Math.min(missing, room) : 0,
    stop: [...tooMany, ...ailing, ...surplus].map(({ id }) => id),
  };
}
