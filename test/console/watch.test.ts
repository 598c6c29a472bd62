import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { troubleOf } from '../../console/api/trouble.ts';
import type { Progress } from '../../console/progress.ts';
import type { ProgressView } from '../../console/terminal.ts';
import { watchRollout } from '../../console/watch.ts';
import { definition, History, installed, installing } from './history.ts';

/** What the make-believe Step Functions tells; a test changes it while it is watched. */
let told: History;
/** Answers instead, while it is set. */
let outage: ((response: ServerResponse) => void) | undefined;
/** Of the history, that were asked for. */
let pages = 0;
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
    const { nextToken, reverseOrder } = JSON.parse(body);
    const from = Number(nextToken ?? 0);
    if (outage) {
      outage(response);
      return;
    }
    const answers: Record<string, () => object> = {
      DescribeStateMachineForExecution: () => ({ definition }),
      DescribeExecution: () => told.execution,
      GetExecutionHistory: () => {
        const events = reverseOrder ? told.events.toReversed() : told.events;
        pages += 1;
        return {
          events: events.slice(from, from + 2),
          ...(from + 2 < events.length ? { nextToken: String(from + 2) } : {}),
        };
      },
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
  readonly troubles: (string | undefined)[] = [];
  ended: Progress | undefined;
  closed = false;
  onUpdate: () => void = () => undefined;
  update(progress: Progress): void {
    this.updates.push(progress);
    this.onUpdate();
  }
  note(): void {}
  onTrouble: () => void = () => undefined;
  trouble(words: string | undefined): void {
    this.troubles.push(words);
    this.onTrouble();
  }
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

test('reads again only what is new', async () => {
  told = installing();
  pages = 0;
  const view = new Recorder();
  const stop = new AbortController();
  const asked: number[] = [];
  view.onUpdate = () => {
    asked.push(pages);
    pages = 0;
    if (asked.length === 2) told = installing().begin(10);
    if (asked.length === 3) stop.abort();
  };
  const progress = await watchRollout(client, arn, view, { everyMilliseconds: 5, signal: stop.signal });
  expect(asked).toEqual([Math.ceil(installing().events.length / 2), 1, 2]);
  expect(progress.phases[3]).toMatchObject({ status: 'running', attempts: 2 });
});

test.each([
  ['a connection that is lost', (response: ServerResponse) => response.destroy(), /does not answer \(ECONNRESET\)/],
  [
    'throttling',
    (response: ServerResponse) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' }));
    },
    /asks for fewer calls/,
  ],
])('%s is said, waited for, and over when it is', async (_case, fail, words) => {
  told = installing();
  const view = new Recorder();
  view.onUpdate = () => {
    outage = fail;
    told = installed();
  };
  view.onTrouble = () => {
    outage = undefined;
  };
  const progress = await watchRollout(client, arn, view, { everyMilliseconds: 5 });
  expect(progress.status).toBe('succeeded');
  expect(view.troubles[0]).toMatch(words);
  expect(view.troubles.at(-1)).toBeUndefined();
});

test('what no waiting mends ends the watching', async () => {
  told = installing();
  const view = new Recorder();
  view.onUpdate = () => {
    outage = (response) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: 'ExpiredTokenException', message: 'The security token is expired' }));
    };
  };
  const error = await watchRollout(client, arn, view, { everyMilliseconds: 5 }).catch((thrown: unknown) => thrown);
  outage = undefined;
  expect(troubleOf(error, { profile: 'work', endpointUrl: undefined })?.words).toMatch(
    /credentials of the profile “work” have expired .*aws sso login --profile work/,
  );
});
