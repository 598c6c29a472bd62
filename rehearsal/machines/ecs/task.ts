import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { arn, type World } from '../../world.ts';
import { containerRuntimeOf, localDisk } from '../container.ts';
import type { TargetGroup } from '../load-balancer/target-group.ts';
import { limitOnWork } from '../pace.ts';
import { LOOPBACK, type ReservedPort, reservePort } from '../ports.ts';
import { type Exit, type KeptProcess, keeperOf } from '../process-keeper.ts';
import { containerEnvironment } from './environment.ts';
import { HealthShell, healthDefaults } from './health-command.ts';
import { type MetadataServer, metadataServerOf, type TaskMetadata } from './metadata.ts';
import { prepare, TaskStartError } from './start-up.ts';
import { containerOf } from './task-definitions.ts';
import type { HealthCommand, HealthStatus, LastStatus, StopCode, TaskDefinition, TaskOverride } from './types.ts';

export interface TaskRequest {
  readonly clusterName: string;
  readonly definition: TaskDefinition;
  readonly overrides: TaskOverride;
  readonly startedBy?: string;
  readonly group: string;
  /** Where the task is registered while it runs. */
  readonly targetGroup?: TargetGroup;
  /** Called after each change of a status. */
  readonly changed: () => void;
}

/** Fargate's default; at most 120. */
const STOP_TIMEOUT_SECONDS = 30;
/**
 * A health command is not run more often than this, however fast the rehearsal's pace; of a container that is healthy
 * not as often as of one that is waited for. Each run is a process of this computer.
 */
const shortestMilliseconds = { waitedFor: 500, healthy: 2_000 } as const;

export function nodeLog(world: Pick<World, 'directory'>, taskId: string): string {
  return join(world.directory, 'logs', 'nodes', `${taskId}.log`);
}

/** One task: a container that runs as a process of this computer, from PROVISIONING to STOPPED. */
export class Task {
  readonly id = randomBytes(16).toString('hex');
  readonly taskArn: string;
  readonly request: TaskRequest;
  readonly createdAt = Date.now();
  lastStatus: LastStatus = 'PROVISIONING';
  desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING';
  healthStatus: HealthStatus = 'UNKNOWN';
  startedAt: number | undefined;
  stoppingAt: number | undefined;
  stoppedAt: number | undefined;
  stopCode: StopCode | undefined;
  stoppedReason: string | undefined;
  exitCode: number | undefined;
  imageDigest: string | undefined;
  /** Whether it was healthy in every respect at some moment. */
  wasHealthy = false;
  readonly #world: World;
  #reserved: ReservedPort | undefined;
  #process: KeptProcess | undefined;
  readonly #starting: Promise<void>;
  #ending: Promise<void> | undefined;

  constructor(world: World, request: TaskRequest) {
    this.#world = world;
    this.request = request;
    this.taskArn = arn(world, 'ecs', `task/${request.clusterName}/${this.id}`);
    this.#starting = this.#start();
  }

  /** Where its container listens; undefined before it starts. */
  get port(): number | undefined {
    return this.#reserved?.port;
  }

  /** Takes the task out of the load balancer, then asks it to end, then kills it after its stopTimeout. */
  stop(code: StopCode, reason: string): Promise<void> {
    this.#ending ??= this.#end(code, reason);
    return this.#ending;
  }

  /** Ends the container without its load balancer, because the rehearsal ends. */
  async abandon(milliseconds: number): Promise<void> {
    this.desiredStatus = 'STOPPED';
    await this.#process?.stop(milliseconds);
    this.#reserved?.release();
  }

  async #start(): Promise<void> {
    try {
      this.#become('PENDING');
      const prepared = await prepare(this.#world, this.request.definition);
      this.imageDigest = prepared.imageDigest;
      this.#reserved = await reservePort();
      const { port } = this.#reserved;
      if (this.#isUnwanted()) return;
      const metadata = await metadataServerOf(this.#world);
      const environment = containerEnvironment(this.request.definition, this.request.overrides, prepared);
      const launch = containerRuntimeOf(this.#world).processFor({
        tag: prepared.tag,
        command: this.#override()?.command ?? containerOf(this.request.definition).command ?? [],
        nodeId: this.id,
        port,
        environment: {
          ...environment,
          ECS_CONTAINER_METADATA_URI_V4: metadata.publish(this.id, () => this.#metadata()),
          ...this.#credentials(metadata),
        },
      });
      this.#process = await keeperOf(this.#world).start(launch.command, launch.args, {
        env: launch.env,
        cwd: this.#world.directory,
        logFile: nodeLog(this.#world, this.id),
      });
      if (this.#isUnwanted()) return;
      void this.#process.exited.then((exit) => this.#exited(exit));
      this.startedAt = Date.now();
      this.request.targetGroup?.register(LOOPBACK, port);
      this.#become('RUNNING');
      void this.#watchHealth(launch.env);
    } catch (error) {
      const words = error instanceof TaskStartError ? error.message : `CannotStartContainerError: ${String(error)}`;
      void this.stop('TaskFailedToStart', words);
    }
  }

  async #end(code: StopCode, reason: string): Promise<void> {
    this.desiredStatus = 'STOPPED';
    this.stopCode = code;
    this.stoppedReason = reason;
    this.stoppingAt = Date.now();
    // A task that is stopped while it starts must not leave a container behind.
    await this.#starting;
    const { targetGroup } = this.request;
    if (targetGroup && this.startedAt !== undefined && this.port !== undefined) {
      this.#become('DEACTIVATING');
      const drained = targetGroup.deregister(LOOPBACK, this.port);
      // A container that ended by itself finishes no request: nothing to wait for.
      if (code !== 'EssentialContainerExited') await drained;
    }
    if (this.#process) {
      this.#become('STOPPING');
      const seconds = containerOf(this.request.definition).stopTimeout ?? STOP_TIMEOUT_SECONDS;
      this.exitCode = exitCodeOf(await this.#process.stop(seconds * 1_000));
    }
    this.#reserved?.release();
    rmSync(localDisk(this.#world, this.id), { recursive: true, force: true });
    (await metadataServerOf(this.#world)).withdraw(this.id);
    this.stoppedAt = Date.now();
    this.#become('STOPPED');
  }

  #exited(exit: Exit): void {
    if (this.desiredStatus === 'STOPPED') return;
    this.exitCode = exitCodeOf(exit);
    void this.stop('EssentialContainerExited', 'Essential container in task exited');
  }

  async #watchHealth(env: Readonly<Record<string, string>>): Promise<void> {
    const { healthCheck } = containerOf(this.request.definition);
    if (!healthCheck) return;
    const shell = new HealthShell(keeperOf(this.#world), env);
    try {
      await this.#checkHealth(healthCheck, shell);
    } catch {
      // The rehearsal is ending.
    } finally {
      await shell.stop();
    }
  }

  /** For as long as the container runs. */
  async #checkHealth(check: HealthCommand, shell: HealthShell): Promise<void> {
    const container = containerOf(this.request.definition);
    const interval = this.#world.scaled(check.interval ?? healthDefaults.interval);
    const started = Date.now();
    const startPeriod = limitOnWork(this.#world, check.startPeriod ?? healthDefaults.startPeriod);
    let failures = 0;
    for (;;) {
      const shortest =
        shortestMilliseconds[this.healthStatus === 'HEALTHY' && failures === 0 ? 'healthy' : 'waitedFor'];
      await wait(Math.max(interval, shortest), undefined, { ref: false });
      if (this.lastStatus !== 'RUNNING') return;
      const healthy = await shell.run(check, container, this.port ?? 0);
      failures = healthy || Date.now() - started < startPeriod ? 0 : failures + 1;
      const status =
        failures >= (check.retries ?? healthDefaults.retries) ? 'UNHEALTHY' : healthy ? 'HEALTHY' : this.healthStatus;
      if (status !== this.healthStatus) {
        this.healthStatus = status;
        this.request.changed();
      }
    }
  }

  /** A method, because the status changes while the start waits for something. */
  #isUnwanted(): boolean {
    return this.desiredStatus === 'STOPPED';
  }

  #override() {
    return this.request.overrides.containerOverrides?.[0];
  }

  #become(status: LastStatus): void {
    this.lastStatus = status;
    this.request.changed();
  }

  /** What an SDK finds in a container whose task has a role; the endpoint is the rehearsal's. */
  #credentials(metadata: MetadataServer): Record<string, string> {
    const { taskRoleArn } = this.request.definition;
    if (taskRoleArn === undefined) return {};
    return {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: metadata.publishCredentials(this.id, taskRoleArn),
      AWS_REGION: this.#world.region,
      AWS_ENDPOINT_URL: this.#world.endpoint,
    };
  }

  #metadata(): TaskMetadata {
    const { definition, clusterName } = this.request;
    const { name, image } = containerOf(definition);
    return {
      Cluster: clusterName,
      TaskARN: this.taskArn,
      Family: definition.family,
      Revision: String(definition.revision),
      DesiredStatus: this.desiredStatus,
      KnownStatus: this.lastStatus,
      LaunchType: 'FARGATE',
      Containers: [{ Name: name, Image: image, KnownStatus: this.lastStatus }],
    };
  }
}

/** As Docker shows it: 128 and the signal's number for a process that a signal ended. */
function exitCodeOf({ code, signal }: Exit): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}
