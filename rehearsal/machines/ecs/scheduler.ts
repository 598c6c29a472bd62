import { randomInt, randomUUID } from 'node:crypto';
import type { World } from '../../world.ts';
import { loadBalancingOf } from '../load-balancer/registry.ts';
import type { TargetGroup } from '../load-balancer/target-group.ts';
import { limitOnWork } from '../pace.ts';
import { plan } from './plan.ts';
import { Task } from './task.ts';
import { containerOf, findTaskDefinition } from './task-definitions.ts';
import type { Deployment, ServiceRecord } from './types.ts';

/** How often a service looks at its targets' health; everything else wakes it at once. */
const LOOK_MILLISECONDS = 500;
const EVENTS_KEPT = 100;
/** Failures in a row from which on starts are held back, and how long: doubled each time up to the last. */
const THROTTLE = { failures: 3, firstSeconds: 10, lastSeconds: 900 };

/** Keeps one service at its desired count, replaces what is ill, and rolls from one task definition to another. */
export class ServiceScheduler {
  readonly record: ServiceRecord;
  readonly #world: World;
  readonly #clusterName: string;
  readonly #save: () => void;
  readonly #started: (task: Task) => void;
  readonly #tasks = new Set<Task>();
  readonly #judged = new WeakSet<Task>();
  readonly #timer: NodeJS.Timeout;
  #failures = 0;
  #heldUntil = 0;
  #steady = false;
  #woken = false;
  #closed = false;

  constructor(
    world: World,
    record: ServiceRecord,
    clusterName: string,
    hooks: { readonly save: () => void; readonly started: (task: Task) => void },
  ) {
    this.#world = world;
    this.record = record;
    this.#clusterName = clusterName;
    this.#save = hooks.save;
    this.#started = hooks.started;
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS).unref();
    this.wake();
  }

  /** Tasks that are not STOPPED, the oldest first. */
  get tasks(): readonly Task[] {
    return [...this.#tasks];
  }

  counts(deployment?: Deployment): { runningCount: number; pendingCount: number } {
    const tasks = this.tasks.filter(
      (task) => task.desiredStatus === 'RUNNING' && (!deployment || task.request.startedBy === deployment.id),
    );
    return {
      runningCount: tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
      pendingCount: tasks.filter(({ lastStatus }) => lastStatus !== 'RUNNING').length,
    };
  }

  /** Starts a deployment of this task definition: the new PRIMARY. */
  deploy(taskDefinition: string): void {
    const now = Date.now();
    for (const deployment of this.record.deployments) deployment.status = 'ACTIVE';
    const made: Deployment = {
      id: `ecs-svc/${randomDigits(19)}`,
      status: 'PRIMARY',
      taskDefinition,
      createdAt: now,
      updatedAt: now,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: '',
      failedTasks: 0,
    };
    made.rolloutStateReason = `ECS deployment ${made.id} in progress.`;
    this.record.taskDefinition = taskDefinition;
    this.record.deployments = [made, ...this.record.deployments];
    this.#failures = 0;
    this.#heldUntil = 0;
    this.wake();
  }

  scale(desiredCount: number): void {
    this.record.desiredCount = desiredCount;
    this.wake();
  }

  /** Has the service act soon, and remembers its record. */
  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#look();
      this.#save();
    });
  }

  /** Leaves the tasks to the process keeper. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#closed) return;
    this.#forgetStopped();
    this.#stopAiling();
    const primary = this.#primary();
    const wanted = this.tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
    for (const task of wanted) this.#noteHealth(task);
    const mayStart = primary.rolloutState !== 'FAILED' && Date.now() >= this.#heldUntil;
    const next = plan(
      this.record.desiredCount,
      this.record.deploymentConfiguration,
      wanted.map((task) => ({
        id: task.id,
        primary: task.request.startedBy === primary.id,
        healthy: this.#isHealthy(task),
      })),
      mayStart,
    );
    this.#stop(
      wanted.filter(({ id }) => next.stop.includes(id)),
      primary,
    );
    this.#start(next.start, primary);
    this.#settle(primary);
  }

  #start(count: number, primary: Deployment): void {
    if (count === 0) return;
    const definition = findTaskDefinition(this.#world, primary.taskDefinition);
    const targetGroup = this.#targetGroup();
    const started = Array.from({ length: count }, () => {
      const task = new Task(this.#world, {
        clusterName: this.#clusterName,
        definition,
        overrides: {},
        startedBy: primary.id,
        group: `service:${this.record.serviceName}`,
        ...(targetGroup ? { targetGroup } : {}),
        changed: () => this.wake(),
      });
      this.#tasks.add(task);
      this.#started(task);
      return task;
    });
    this.#steady = false;
    this.#say(`has started ${count} tasks: ${named(started)}.`);
  }

  #stop(tasks: readonly Task[], primary: Deployment): void {
    if (tasks.length === 0) return;
    this.#steady = false;
    if (this.#targetGroup()) this.#say(`has begun draining connections on ${tasks.length} tasks.`);
    this.#say(`has stopped ${tasks.length} running tasks: ${named(tasks)}.`);
    for (const task of tasks) {
      void task.stop('ServiceSchedulerInitiated', `Scaling activity initiated by (deployment ${primary.id})`);
    }
  }

  #forgetStopped(): void {
    for (const task of this.#tasks) {
      if (task.desiredStatus === 'STOPPED' && !this.#judged.has(task)) this.#judge(task);
      if (task.lastStatus !== 'STOPPED') continue;
      this.#tasks.delete(task);
      this.#steady = false;
    }
  }

  /** Counts a task that ended by itself before it was healthy as a failure; once. */
  #judge(task: Task): void {
    this.#judged.add(task);
    if (task.stopCode === 'TaskFailedToStart' || (task.stopCode === 'EssentialContainerExited' && !task.wasHealthy)) {
      this.#noteFailure(task, `(task ${task.id}) ${task.stoppedReason}`);
    }
  }

  #stopAiling(): void {
    const grace = limitOnWork(this.#world, this.record.healthCheckGracePeriodSeconds);
    for (const task of this.tasks) {
      if (task.desiredStatus === 'STOPPED' || task.lastStatus !== 'RUNNING') continue;
      if (Date.now() - (task.startedAt ?? Date.now()) < grace) continue;
      const target = this.#targetState(task);
      const reason =
        target === 'unhealthy'
          ? `Task failed ELB health checks in (target-group ${this.record.loadBalancers[0]?.targetGroupArn})`
          : task.healthStatus === 'UNHEALTHY'
            ? 'Task failed container health checks'
            : undefined;
      if (reason === undefined) continue;
      this.#noteFailure(task, `(task ${task.id}) ${reason}`);
      void task.stop('ServiceSchedulerInitiated', reason);
    }
  }

  #noteHealth(task: Task): void {
    if (task.wasHealthy || !this.#isHealthy(task)) return;
    task.wasHealthy = true;
    this.#failures = 0;
    this.#heldUntil = 0;
    const deployment = this.#deploymentOf(task);
    if (deployment) deployment.failedTasks = 0;
  }

  #noteFailure(task: Task, words: string): void {
    this.#say(`${words}.`);
    this.#failures++;
    const doubled = this.#failures - THROTTLE.failures;
    if (doubled >= 0) {
      const seconds = Math.min(THROTTLE.firstSeconds * 2 ** doubled, THROTTLE.lastSeconds);
      this.#heldUntil = Date.now() + Math.max(this.#world.scaled(seconds), 1_000);
      this.#say('is unable to consistently start tasks successfully.');
    }
    const deployment = this.#deploymentOf(task);
    if (deployment?.rolloutState !== 'IN_PROGRESS') return;
    deployment.failedTasks++;
    deployment.updatedAt = Date.now();
    const breaker = this.record.deploymentConfiguration.deploymentCircuitBreaker;
    const threshold = Math.min(200, Math.max(3, Math.ceil(this.record.desiredCount / 2)));
    if (breaker?.enable && deployment.status === 'PRIMARY' && deployment.failedTasks >= threshold) {
      this.#fail(deployment, breaker.rollback);
    }
  }

  #fail(deployment: Deployment, rollback: boolean): void {
    deployment.rolloutState = 'FAILED';
    deployment.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
    this.#say(`(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
    const before = this.record.completedTaskDefinition;
    if (!rollback || before === undefined || before === deployment.taskDefinition) return;
    this.#say(`rolling back to task definition ${before}.`);
    this.deploy(before);
  }

  #settle(primary: Deployment): void {
    const old = this.record.deployments.filter(
      (deployment) => deployment !== primary && this.tasks.some(({ request }) => request.startedBy === deployment.id),
    );
    const changed = old.length + 1 !== this.record.deployments.length;
    if (changed) this.record.deployments = [primary, ...old];
    const mine = this.tasks.filter((task) => task.request.startedBy === primary.id);
    const settled =
      old.length === 0 && mine.length === this.record.desiredCount && mine.every((task) => this.#isHealthy(task));
    if (settled && !this.#steady) {
      this.#steady = true;
      if (primary.rolloutState === 'IN_PROGRESS') this.#complete(primary);
      this.#say('has reached a steady state.');
      this.#save();
    } else if (changed) this.#save();
  }

  #complete(primary: Deployment): void {
    primary.rolloutState = 'COMPLETED';
    primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`;
    primary.updatedAt = Date.now();
    this.record.completedTaskDefinition = primary.taskDefinition;
    this.#say(`(deployment ${primary.id}) deployment completed.`);
  }

  #primary(): Deployment {
    const [primary] = this.record.deployments;
    if (!primary) throw new Error(`The service ${this.record.serviceName} has no deployment.`);
    return primary;
  }

  #deploymentOf(task: Task): Deployment | undefined {
    return this.record.deployments.find(({ id }) => id === task.request.startedBy);
  }

  #isHealthy(task: Task): boolean {
    if (task.lastStatus !== 'RUNNING' || task.desiredStatus === 'STOPPED') return false;
    if (containerOf(task.request.definition).healthCheck && task.healthStatus !== 'HEALTHY') return false;
    return this.#targetGroup() === undefined || this.#targetState(task) === 'healthy';
  }

  #targetState(task: Task): string | undefined {
    return this.#targetGroup()
      ?.health()
      .find(({ port }) => port === task.port)?.state;
  }

  #targetGroup(): TargetGroup | undefined {
    const [first] = this.record.loadBalancers;
    return first && loadBalancingOf(this.#world).targetGroups.get(first.targetGroupArn);
  }

  #say(words: string): void {
    const message = `(service ${this.record.serviceName}) ${words}`;
    this.record.events = [{ id: randomUUID(), createdAt: Date.now(), message }, ...this.record.events].slice(
      0,
      EVENTS_KEPT,
    );
  }
}

function named(tasks: readonly Task[]): string {
  return tasks.map(({ id }) => `(task ${id})`).join(' ');
}

function randomDigits(count: number): string {
  return Array.from({ length: count }, () => randomInt(1, 10)).join('');
}
