import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Listener } from '../../rehearsal/machines/load-balancer/listener.ts';
import { TargetGroup } from '../../rehearsal/machines/load-balancer/target-group.ts';
import { reservePort } from '../../rehearsal/machines/ports.ts';
import { eventually } from '../support/eventually.ts';

interface Node {
  readonly server: Server;
  readonly port: number;
  healthy: boolean;
  /** Requests that wait for the test to answer them. */
  readonly held: ServerResponse[];
  readonly seen: { url: string; headers: Record<string, unknown> }[];
}

let attributes: Record<string, string>;
let group: TargetGroup;
let listener: Listener;
let address: string;
const nodes: Node[] = [];

beforeEach(async () => {
  attributes = { 'deregistration_delay.timeout_seconds': '30' };
  group = new TargetGroup(
    { scaled: (seconds) => seconds * 10 },
    {
      arn: 'arn:group',
      name: 'group',
      healthCheck: {
        path: '/health/live',
        intervalSeconds: 10,
        timeoutSeconds: 2,
        healthyThreshold: 2,
        unhealthyThreshold: 2,
        matcher: '200',
      },
      attributes: () => attributes,
    },
  );
  group.inUse = true;
  listener = new Listener(
    'arn:listener',
    { type: 'forward', group },
    {
      idleTimeoutSeconds: 1,
      dropInvalidHeaders: true,
      forwardedFor: 'append',
      answerHeaders: {},
    },
  );
  const { port } = await reservePort();
  await listener.listen(port);
  address = `http://127.0.0.1:${port}`;
});

afterEach(async () => {
  group.close();
  await listener.close();
  for (const { server } of nodes.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function startNode(): Promise<Node> {
  const seen: Node['seen'] = [];
  const held: ServerResponse[] = [];
  const server = createServer({ maxHeaderSize: 65_536 }, (client, answer) => {
    seen.push({ url: client.url ?? '', headers: client.headers });
    answer.setHeader('X-Moodle-Node', String(node.port));
    if (client.url === '/health/live') answer.writeHead(node.healthy ? 200 : 503).end();
    else if (client.url === '/slow') held.push(answer);
    else if (client.url === '/silent') return;
    else if (client.url === '/headers') answer.writeHead(200, { 'X-Large': 'x'.repeat(30_000) }).end();
    else if (client.url === '/break') client.socket.destroy();
    else client.pipe(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const node: Node = { server, port: (server.address() as AddressInfo).port, healthy: true, held, seen };
  nodes.push(node);
  group.register('127.0.0.1', node.port);
  return node;
}

const states = () => group.health().map(({ state }) => state);
const nodeOf = async (headers: Record<string, string> = {}) =>
  (await fetch(address, { headers })).headers.get('x-moodle-node');

test('answers 503 itself without targets, and while the only one is still checked for the first time', async () => {
  const none = await fetch(address);
  expect([none.status, none.headers.get('server')]).toEqual([503, 'awselb/2.0']);
  group.register('127.0.0.1', (await reservePort()).port);
  expect(states()).toEqual(['initial']);
  expect((await fetch(address)).status).toBe(503);
});

test('takes turns among the healthy, leaves out the unhealthy, and fails open when none is healthy', async () => {
  const [one, two] = [await startNode(), await startNode()];
  await eventually(() => expect(states()).toEqual(['healthy', 'healthy']));
  expect(new Set([await nodeOf(), await nodeOf()])).toEqual(new Set([String(one.port), String(two.port)]));
  one.healthy = false;
  await eventually(() => expect(states()).toEqual(['unhealthy', 'healthy']));
  expect(group.health()[0]).toMatchObject({
    reason: 'Target.ResponseCodeMismatch',
    description: 'Health checks failed with these codes: [503]',
  });
  expect([await nodeOf(), await nodeOf()]).toEqual([String(two.port), String(two.port)]);
  two.healthy = false;
  await eventually(() => expect(states()).toEqual(['unhealthy', 'unhealthy']));
  expect((await fetch(address)).status).toBe(200);
});

test('says who the client is, keeps its Host, and streams bodies', async () => {
  const node = await startNode();
  await eventually(() => expect(states()).toEqual(['healthy']));
  const answer = await fetch(`${address}/echo`, {
    method: 'POST',
    body: 'x'.repeat(300_000),
    headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', X_Forwarded_For: '198.51.100.1' },
  });
  expect((await answer.text()).length).toBe(300_000);
  const { headers } = node.seen.find(({ url }) => url === '/echo') ?? {};
  expect(headers).toMatchObject({
    host: address.slice('http://'.length),
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-proto': 'http',
  });
  expect(headers).not.toHaveProperty('x_forwarded_for');
  const check = node.seen.find(({ url }) => url === '/health/live');
  expect(check?.headers).toMatchObject({ host: `127.0.0.1:${node.port}`, 'user-agent': 'ELB-HealthChecker/2.0' });
});

test('passes on headers as large as an Application Load Balancer does', async () => {
  const node = await startNode();
  await eventually(() => expect(states()).toEqual(['healthy']));
  const line = 'x'.repeat(15_000);
  const headers = { Cookie: line, 'X-One': line, 'X-Two': line };
  const { status, length } = await new Promise<{ status?: number | undefined; length?: number | undefined }>(
    (resolve, reject) => {
      const asked = request(`${address}/headers`, { headers, maxHeaderSize: 65_536 }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode, length: answer.headers['x-large']?.length });
      });
      asked.once('error', reject).end();
    },
  );
  expect({ status, length }).toEqual({ status: 200, length: 30_000 });
  expect(node.seen.find(({ url }) => url === '/headers')?.headers.cookie).toBe(line);
});

test('answers 502 when the target breaks off and 504 when it is silent', async () => {
  await startNode();
  await eventually(() => expect(states()).toEqual(['healthy']));
  expect((await fetch(`${address}/break`)).status).toBe(502);
  expect((await fetch(`${address}/silent`)).status).toBe(504);
});

test('a sticky client stays with its node until that node is taken out', async () => {
  attributes = { ...attributes, 'stickiness.enabled': 'true', 'stickiness.type': 'lb_cookie' };
  await startNode();
  await startNode();
  await eventually(() => expect(states()).toEqual(['healthy', 'healthy']));
  const first = await fetch(address);
  const home = first.headers.get('x-moodle-node');
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect(cookie).toMatch(/^AWSALB=/);
  for (let request = 0; request < 5; request++) expect(await nodeOf({ cookie })).toBe(home);
  void group.deregister('127.0.0.1', Number(home));
  expect(await nodeOf({ cookie })).not.toBe(home);
  attributes = { ...attributes, 'stickiness.enabled': 'false' };
  expect((await fetch(address)).headers.getSetCookie()).toEqual([]);
});

test('a target that is taken out finishes its request in flight, gets no new one, and is draining meanwhile', async () => {
  const node = await startNode();
  await eventually(() => expect(states()).toEqual(['healthy']));
  const inFlight = fetch(`${address}/slow`);
  await eventually(() => expect(node.held).toHaveLength(1));
  let drained = false;
  const deregistered = group.deregister('127.0.0.1', node.port).then(() => {
    drained = true;
  });
  expect(states()).toEqual(['draining']);
  expect((await fetch(address)).status).toBe(503);
  await wait(600);
  expect([drained, states()]).toEqual([false, ['draining']]);
  node.held[0]?.end('done');
  expect(await (await inFlight).text()).toBe('done');
  await deregistered;
  expect(group.health()).toEqual([]);
});

test('a client that hangs up frees its target', async () => {
  const node = await startNode();
  await eventually(() => expect(states()).toEqual(['healthy']));
  const asked = request(`${address}/slow`);
  asked.on('error', () => {});
  asked.end();
  await eventually(() => expect(node.held).toHaveLength(1));
  asked.destroy();
  await eventually(() => expect(node.held[0]?.destroyed).toBe(true));
  const began = Date.now();
  await group.deregister('127.0.0.1', node.port);
  expect(Date.now() - began).toBeLessThan(2_000);
});
