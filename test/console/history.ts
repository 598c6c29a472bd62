import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescribeExecutionOutput, ExecutionStatus, HistoryEvent } from '@aws-sdk/client-sfn';

export const definition = readFileSync(
  join(import.meta.dirname, '../../statemachines/install.asl.json'),
  'utf8',
).replaceAll('${Site}', 'demo');

const BEGIN = Date.UTC(2026, 10, 20, 12, 0, 0);
const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:DemoInstall';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:DemoInstall:first-install';

/** Writes a history as Step Functions would, event by event; `after` seconds passed since the event before. */
export class History {
  readonly events: HistoryEvent[] = [];
  readonly #input: string;
  #seconds = 0;
  #status: ExecutionStatus = 'RUNNING';
  #ending: Partial<DescribeExecutionOutput> = {};

  constructor(input: object = {}) {
    this.#input = JSON.stringify(input);
    this.#add('ExecutionStarted', 0);
  }

  enter(name: string): this {
    return this.#add('TaskStateEntered', 0, { stateEnteredEventDetails: { name } });
  }

  begin(after = 0): this {
    return this.#add('LambdaFunctionScheduled', after).#add('LambdaFunctionStarted', 0);
  }

  fail(error: string, message: string, after = 1): this {
    const cause = JSON.stringify({ errorType: error, errorMessage: message, trace: ['…'] });
    return this.#add('LambdaFunctionFailed', after, { lambdaFunctionFailedEventDetails: { error, cause } });
  }

  succeed(evidence: object, after = 1): this {
    const output = JSON.stringify(evidence);
    return this.#add('LambdaFunctionSucceeded', after, { lambdaFunctionSucceededEventDetails: { output } });
  }

  exit(name: string): this {
    return this.#add('TaskStateExited', 0, { stateExitedEventDetails: { name } });
  }

  /** A whole phase at its first attempt. */
  phase(name: string, evidence: object, seconds = 1): this {
    return this.enter(name).begin().succeed(evidence, seconds).exit(name);
  }

  /** A state that calls an AWS service itself. */
  service(name: string, output: object): this {
    return this.enter(name)
      .#add('TaskScheduled', 0)
      .#add('TaskStarted', 0)
      .#add('TaskSucceeded', 1, {
        taskSucceededEventDetails: { resourceType: 'sns', resource: 'publish', output: JSON.stringify(output) },
      })
      .exit(name);
  }

  event(type: HistoryEvent['type'], after: number, details: Partial<HistoryEvent> = {}): this {
    return this.#add(type, after, details);
  }

  end(status: ExecutionStatus, error?: string, cause?: string): this {
    this.#status = status;
    this.#ending = { stopDate: this.at(0), ...(error && { error }), ...(cause && { cause }) };
    return this;
  }

  get execution(): DescribeExecutionOutput {
    return {
      executionArn: EXECUTION,
      stateMachineArn: MACHINE,
      name: 'first-install',
      status: this.#status,
      startDate: new Date(BEGIN),
      input: this.#input,
      ...this.#ending,
    };
  }

  /** The time so many seconds after the last event. */
  at(seconds: number): Date {
    return new Date(BEGIN + (this.#seconds + seconds) * 1000);
  }

  #add(type: HistoryEvent['type'], after: number, details: Partial<HistoryEvent> = {}): this {
    this.#seconds += after;
    const id = this.events.length + 1;
    this.events.push({ timestamp: this.at(0), type, id, previousEventId: id - 1, ...details });
    return this;
  }
}

/** As far as a fresh install usually is after a quarter of a minute. */
export function installing(): History {
  return new History({ nodes: 2 })
    .phase('Check the site', {
      site: 'demo',
      state: 'absent',
      database: { reachable: true, engine: 'PostgreSQL 16.4' },
    })
    .phase('Build image', { tag: 'a1b2c3d4', skipped: true })
    .enter('Start one node')
    .begin()
    .fail('NodeStillStarting', 'no task yet; the service wants 1')
    .begin(5)
    .succeed({ desired: 1, running: 1, autoscaling: 'suspended', healthGraceSeconds: 3600 })
    .exit('Start one node')
    .enter('Wait for install')
    .begin()
    .fail('InstallStillRunning', '120 of 483 tables, 14 s of about 40 s');
}

export function installed(): History {
  return installing()
    .begin(10)
    .succeed({ tables: 483, release: '4.4 (stand-in, not Moodle)', seconds: 24 })
    .exit('Wait for install')
    .phase('Fix lastip', { outcome: 'not needed: an unattended install has no wizard' })
    .phase('Configure cache stores', {
      stores: ['application'],
      mappings: { application: 'application' },
      hash: '9f86d081',
    })
    .phase('Enable session caching', { store: 'redis', tls: true, sessionsCopied: 3, nodesReplaced: 1 }, 31)
    .phase('Scale out', { nodes: 2, healthy: 2 }, 20)
    .phase('Verify the site', { loggedInOn: ['node 1', 'node 2'], upgradePending: false, cron: '12 s ago' }, 4)
    .phase('Release the site', { released: true })
    .end('SUCCEEDED');
}

export function putBack(): History {
  return installing()
    .begin(10)
    .fail(
      'InstallFailed',
      "The node stopped with exit code 1: the database holds 350 tables of an unfinished Moodle, but it holds somebody's data (3 users, 1 courses); nothing was touched. Look into the database, then drop its Moodle tables or restore a backup.",
    )
    .exit('Wait for install')
    .phase('Put back', { capacity: { desired: 0, minimum: 0 }, sessions: 'database', released: true }, 3)
    .service('Notify the operator', { MessageId: 'm-1' })
    .event('FailStateEntered', 0, { stateEnteredEventDetails: { name: 'Install failed' } })
    .end('FAILED', 'InstallFailed', 'The node stopped with exit code 1');
}
