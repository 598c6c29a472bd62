import { AwsError } from '../../endpoint/service.ts';
import { perWorld } from '../../per-world.ts';
import { arn, type World } from '../../world.ts';
import { ServiceScheduler } from './scheduler.ts';
import type { Task } from './task.ts';
import type { ServiceRecord } from './types.ts';

export interface Cluster {
  readonly clusterName: string;
  readonly clusterArn: string;
  /** Names of the capacity providers that are associated with it. */
  readonly capacityProviders: Set<string>;
}

/** Stopped tasks can be described for at least an hour; more than these are not kept. */
const STOPPED_TASKS_KEPT = 300;
/** What nodes get to end in order when the rehearsal does. */
const END_MILLISECONDS = 3_000;

/** The clusters, services and tasks of a rehearsal. */
export class Clusters {
  readonly clusters = new Map<string, Cluster>();
  /** By ARN. */
  readonly services = new Map<string, ServiceScheduler>();
  /** By ARN, the oldest first, stopped ones too. */
  readonly tasks = new Map<string, Task>();
  /** What was started by which `clientToken`. */
  readonly tokens = new Map<string, { readonly input: string; readonly taskArns: readonly string[] }>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  make(clusterName: string): Cluster {
    const cluster = {
      clusterName,
      clusterArn: arn(this.#world, 'ecs', `cluster/${clusterName}`),
      capacityProviders: new Set<string>(),
    };
    this.clusters.set(clusterName, cluster);
    return cluster;
  }

  /**
   * @param name name or ARN; `default` when it is left out, as in the API
   * @throws AwsError ClusterNotFoundException
   */
  find(name = 'default'): Cluster {
    const cluster = this.clusters.get(name.replace(/^arn:.*:cluster\//, ''));
    if (!cluster) throw new AwsError('ClusterNotFoundException', `Cluster not found: ${name}.`);
    return cluster;
  }

  openService(record: ServiceRecord, clusterName: string): ServiceScheduler {
    const records = recordsOf(this.#world);
    const scheduler = new ServiceScheduler(this.#world, record, clusterName, {
      save: () => records.set(record.serviceArn, record),
      started: (task) => this.remember(task),
    });
    this.services.set(record.serviceArn, scheduler);
    return scheduler;
  }

  /** @param name name or ARN */
  service(cluster: Cluster, name: string): ServiceScheduler | undefined {
    return this.services.get(serviceArn(this.#world, cluster, name));
  }

  remember(task: Task): void {
    this.tasks.set(task.taskArn, task);
    const stopped = [...this.tasks.values()].filter(({ lastStatus }) => lastStatus === 'STOPPED');
    for (const old of stopped.slice(0, Math.max(0, stopped.length - STOPPED_TASKS_KEPT)))
      this.tasks.delete(old.taskArn);
  }

  /** @param name id or ARN */
  task(cluster: Cluster, name: string): Task | undefined {
    return this.tasks.get(taskArn(this.#world, cluster, name));
  }
}

/**
 * What runs on capacity providers runs on this computer all the same; but ECS takes only those of the cluster.
 *
 * @throws AwsError InvalidParameterException
 */
export function requireCapacity(
  { capacityProviders }: Cluster,
  strategy: readonly { readonly capacityProvider?: string }[] = [],
): void {
  for (const { capacityProvider = '' } of strategy) {
    if (capacityProviders.has(capacityProvider)) continue;
    throw new AwsError(
      'InvalidParameterException',
      `The capacity provider ${capacityProvider} is not associated with the cluster.`,
    );
  }
}

export function serviceArn(world: World, cluster: Cluster, name: string): string {
  return name.startsWith('arn:') ? name : arn(world, 'ecs', `service/${cluster.clusterName}/${name}`);
}

export function taskArn(world: World, cluster: Cluster, name: string): string {
  return name.startsWith('arn:') ? name : arn(world, 'ecs', `task/${cluster.clusterName}/${name}`);
}

/** Services as they were left, by ARN. */
export function recordsOf(world: Pick<World, 'state'>) {
  return world.state.collection<ServiceRecord>('ecs-services');
}

export const clustersOf = perWorld((world: World) => {
  const clusters = new Clusters(world);
  world.onClose(async () => {
    for (const service of clusters.services.values()) service.close();
    // Before the databases, which the keeper ends, so that nodes do not die of their absence.
    await Promise.all([...clusters.tasks.values()].map((task) => task.abandon(END_MILLISECONDS)));
  });
  return clusters;
});
