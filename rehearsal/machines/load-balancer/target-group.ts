import { setTimeout as wait } from 'node:timers/promises';
import type { World } from '../../world.ts';
import { type CheckResult, checkHealth, type HealthCheck } from './health-check.ts';

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining';

export interface TargetHealth {
  readonly id: string;
  readonly port: number;
  readonly state: TargetState;
  readonly reason?: string;
  readonly description?: string;
}

interface Target {
  readonly id: string;
  readonly port: number;
  state: TargetState;
  reason: string | undefined;
  description: string | undefined;
  successes: number;
  failures: number;
  inFlight: number;
  readonly stopped: AbortController;
}

/** The shortest time between two checks, however fast the rehearsal's pace: many nodes share one computer. */
const SHORTEST_INTERVAL_MILLISECONDS = 250;

/** The targets of one target group with their health, and who gets the next request. */
export class TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly healthCheck: HealthCheck;
  /** Attributes by key, as ModifyTargetGroupAttributes sets them. */
  readonly attributes: () => Readonly<Record<string, string>>;
  /** Whether a listener forwards to the group; without one, targets are not checked and `unused`. */
  inUse = false;
  readonly #world: Pick<World, 'scaled'>;
  readonly #targets = new Map<string, Target>();
  #turn = 0;

  constructor(
    world: Pick<World, 'scaled'>,
    settings: {
      readonly arn: string;
      readonly name: string;
      readonly healthCheck: HealthCheck;
      readonly attributes: () => Readonly<Record<string, string>>;
    },
  ) {
    this.#world = world;
    this.arn = settings.arn;
    this.name = settings.name;
    this.healthCheck = settings.healthCheck;
    this.attributes = settings.attributes;
  }

  register(id: string, port: number): void {
    const target: Target = {
      id,
      port,
      state: 'initial',
      reason: 'Elb.RegistrationInProgress',
      description: 'Target registration is in progress',
      successes: 0,
      failures: 0,
      inFlight: 0,
      stopped: new AbortController(),
    };
    this.#targets.set(key(id, port), target);
    void this.#watch(target);
  }

  /**
   * Sends the target no new request, lets those in flight finish, and forgets it.
   *
   * The deregistration delay passes at the rehearsal's pace; but a request in flight takes this computer's own time, so
   * as long as there is one the whole delay is waited for.
   *
   * @returns when the target is no longer `draining`
   */
  async deregister(id: string, port: number): Promise<void> {
    const target = this.#targets.get(key(id, port));
    if (!target || target.state === 'draining') return;
    target.stopped.abort();
    target.state = 'draining';
    target.reason = 'Target.DeregistrationInProgress';
    target.description = 'Target deregistration is in progress';
    const seconds = Number(this.attributes()['deregistration_delay.timeout_seconds'] ?? 300);
    const began = Date.now();
    await wait(this.#world.scaled(seconds));
    while (target.inFlight > 0 && Date.now() < began + seconds * 1_000) await wait(100);
    this.#targets.delete(key(id, port));
  }

  health(): TargetHealth[] {
    return [...this.#targets.values()].map(({ id, port, state, reason, description }) => ({
      id,
      port,
      ...(this.inUse || state === 'draining'
        ? { state, ...(reason === undefined ? {} : { reason }), ...(description === undefined ? {} : { description }) }
        : {
            state: 'unused' as const,
            reason: 'Target.NotInUse',
            description: 'Target group is not configured to receive traffic from the load balancer',
          }),
    }));
  }

  /** Stops asking targets for their health. */
  close(): void {
    for (const target of this.#targets.values()) target.stopped.abort();
    this.#targets.clear();
  }

  /**
   * The next target in turn among the healthy ones, or among all unhealthy ones when none is healthy: a load balancer
   * “fails open”.
   *
   * @param wanted `id:port` of the target that the client's stickiness cookie names
   * @returns undefined when there is nobody to ask, which the client sees as 503
   */
  choose(wanted: string | undefined): ChosenTarget | undefined {
    const all = [...this.#targets.values()];
    const healthy = all.filter(({ state }) => state === 'healthy');
    const candidates = healthy.length > 0 ? healthy : all.filter(({ state }) => state === 'unhealthy');
    const target =
      candidates.find(({ id, port }) => key(id, port) === wanted) ?? candidates[this.#turn++ % candidates.length];
    if (!target) return undefined;
    target.inFlight++;
    let done = false;
    return {
      host: target.id,
      port: target.port,
      key: key(target.id, target.port),
      finished: () => {
        if (!done) target.inFlight--;
        done = true;
      },
    };
  }

  async #watch(target: Target): Promise<void> {
    const interval = Math.max(this.#world.scaled(this.healthCheck.intervalSeconds), SHORTEST_INTERVAL_MILLISECONDS);
    while (!target.stopped.signal.aborted) {
      const result = await checkHealth(target.id, target.port, this.healthCheck);
      if (target.stopped.signal.aborted) return;
      note(target, result, this.healthCheck);
      await wait(interval, undefined, { signal: target.stopped.signal, ref: false }).catch(() => {});
    }
  }
}

export interface ChosenTarget {
  readonly host: string;
  readonly port: number;
  /** What the stickiness cookie remembers. */
  readonly key: string;
  /** To be called once the request is over. */
  finished(): void;
}

function key(id: string, port: number): string {
  return `${id}:${port}`;
}

function note(target: Target, result: CheckResult, check: HealthCheck): void {
  target.successes = result.healthy ? target.successes + 1 : 0;
  target.failures = result.healthy ? 0 : target.failures + 1;
  // A new target is healthy after one good check; the thresholds are for changes afterwards.
  const enough = target.state === 'initial' ? 1 : check.healthyThreshold;
  if (result.healthy && target.successes >= enough) {
    target.state = 'healthy';
    target.reason = undefined;
    target.description = undefined;
  } else if (!result.healthy && (target.failures >= check.unhealthyThreshold || target.state === 'unhealthy')) {
    target.state = 'unhealthy';
    target.reason = result.reason;
    target.description = result.description;
  } else if (target.state === 'initial') {
    target.reason = 'Elb.InitialHealthChecking';
    target.description = 'Initial health checks in progress';
  }
}
