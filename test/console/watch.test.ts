import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import type { ProgressView } from '../../console/terminal.ts';
import { watchRollout } from '../../console/watch.ts';
import { definition, History, installed, installing } from './history.ts';

/** What the make-believe Step Functions tells; a test changes it while it is watched. */
let told: History;
const client = new SFNClient({
  region: 'eu-west-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  endpoint: async () => ({ protocol: 'http:', hostname: '127.0.0.1', port, path: '/' }),
  maxAttempts: 1,
});
let port = 0;

/** Step Functions on the wire, with two events to a page of the history. */
const server = createServer((message, response) => {
  let body = '';
  message.on('data', (chunk) => {
    body += chunk;
  });
  message.on('end', () => {
    const operation = String(message.headers['x-amz-target']).split('.')[1];
    const { nextToken } = JSON.parse(body);
    const from = Number(nextToken ?? 0);
    const answers: Record<string, () => object> = {
      DescribeStateMachineForExecution: () => ({ definition }),
      DescribeExecution: () => told.execution,
      GetExecutionHistory: () => ({
        events: told.events.slice(from, from + 2),
        ...(from + 2 < told.events.length ? { nextToken: String(from + 2) } : {}),
      }),
    };
    const seconds = (key: string, value: unknown) =>
      key === 'timestamp' || key.endsWith('Date') ? new Date(String(value)).getTime() / 1000 : value;
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify(answers[operation ?? '']?.() ?? {}, seconds));
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
});

class Recorder implements ProgressView {
  readonly updates: Progress[] = [];
  ended: Progress | undefined;
  closed = false;
  onUpdate: () => void = () => undefined;
  update(progress: Progress): void {
    this.updates.push(progress);
    this.onUpdate();
  }
  note(): void {}
  end(progress: Progress): void {
    this.ended = progress;
  }
  close(): void {
    this.closed = true;
  }
}

const arn = 'arn:aws:states:eu-west-1:111122223333:execution:DemoInstall:first-install';

test('shows an execution until it has ended, over all pages of its history', async () => {
  told = installing();
  const view = new Recorder();
  view.onUpdate = () => {
    told = installed();
  };
  const progress = await watchRollout(client, arn, view, { everyMilliseconds: 5 });
  expect(view.updates.map(({ status }) => status)).toEqual(['running']);
  expect(view.updates[0]?.phases[3]).toMatchObject({ title: 'Wait for install', status: 'waiting' });
  expect(progress).toBe(view.ended);
  expect(progress.phases.every(({ status }) => status === 'succeeded')).toBe(true);
  expect(progress.startedAt).toEqual(new History().execution.startDate);
});

test('a signal ends the watching, with the execution left running', async () => {
  told = installing();
  const view = new Recorder();
  const stop = new AbortController();
  view.onUpdate = () => stop.abort();
  const progress = await watchRollout(client, arn, view, { everyMilliseconds: 60_000, signal: stop.signal });
  expect(progress.status).toBe('running');
  expect([view.closed, view.ended]).toEqual([true, undefined]);
});
