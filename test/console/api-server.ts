import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Recording } from '../../console/api/recording.ts';

/** What a call was: its operation and its input. */
export interface Call {
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: the members depend on the operation.
  readonly input: any;
}

export interface MachineOfServer {
  readonly arn: string;
  readonly site: string;
  readonly name: string;
}

/** Step Functions on the wire, with recorded executions behind it. What changes something is only kept. */
export class ApiServer {
  readonly recordings = new Map<string, Recording>();
  readonly machines: MachineOfServer[] = [];
  readonly calls: Call[] = [];
  /** Answers a call in place of the recordings; undefined lets them. */
  intercept: (call: Call, response: ServerResponse) => object | 'answered' | undefined = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<ApiServer> {
    const server = createServer();
    const api = new ApiServer(server);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
        api.#answer({ operation, input: JSON.parse(body || '{}') }, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Serves a recording, under its own ARNs. */
  add(recording: Recording, site = 'demo', name = 'install'): string {
    const { executionArn = '', stateMachineArn: arn = '' } = recording.execution;
    this.recordings.set(executionArn, recording);
    if (!this.machines.some((machine) => machine.arn === arn)) this.machines.push({ arn, site, name });
    return executionArn;
  }

  /** As it was when it was opened. */
  forget(): void {
    this.recordings.clear();
    this.machines.length = 0;
    this.calls.length = 0;
    this.intercept = () => undefined;
  }

  #answer(call: Call, response: ServerResponse): void {
    this.calls.push(call);
    const intercepted = this.intercept(call, response);
    if (intercepted === 'answered') return;
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    const answer = intercepted ?? this.#answers(call);
    if ('__type' in answer) response.statusCode = 400;
    response.end(JSON.stringify(answer, inSeconds));
  }

  #answers({ operation, input }: Call): object {
    const recording = this.recordings.get(input.executionArn);
    const needed = 'executionArn' in input && !recording;
    if (needed)
      return { __type: 'ExecutionDoesNotExist', message: `Execution Does Not Exist: '${input.executionArn}'` };
    switch (operation) {
      case 'ListStateMachines':
        return {
          stateMachines: this.machines.map(({ arn }) => ({ stateMachineArn: arn, name: arn.split(':').at(-1) })),
        };
      case 'ListTagsForResource': {
        const machine = this.machines.find(({ arn }) => arn === input.resourceArn);
        return {
          tags: [
            { key: 'moodle-lifecycle:site', value: machine?.site },
            { key: 'moodle-lifecycle:name', value: machine?.name },
          ],
        };
      }
      case 'ListExecutions':
        return {
          executions: [...this.recordings.values()]
            .map(({ execution }) => execution)
            .filter(({ stateMachineArn }) => stateMachineArn === input.stateMachineArn)
            .filter(({ status }) => input.statusFilter === undefined || status === input.statusFilter)
            .sort((a, b) => (b.startDate?.getTime() ?? 0) - (a.startDate?.getTime() ?? 0)),
        };
      case 'DescribeExecution':
        return recording?.execution ?? {};
      case 'DescribeStateMachineForExecution':
        return { definition: recording?.definition };
      case 'GetExecutionHistory': {
        const events = input.reverseOrder ? recording?.events.toReversed() : recording?.events;
        return { events };
      }
      case 'StartExecution':
        return {
          executionArn: `${input.stateMachineArn.replace(':stateMachine:', ':execution:')}:${input.name}`,
          startDate: 0,
        };
      default:
        return {};
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

/** The wire has moments as seconds since 1970. */
function inSeconds(this: Record<string, unknown>, key: string, value: unknown): unknown {
  return /^timestamp$|Date$/.test(key) && typeof value === 'string' ? new Date(value).getTime() / 1000 : value;
}
