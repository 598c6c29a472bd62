import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Distribution, type Origin } from '../../rehearsal/machines/cloudfront/distribution.ts';
import { Listener } from '../../rehearsal/machines/load-balancer/listener.ts';
import { TargetGroup } from '../../rehearsal/machines/load-balancer/target-group.ts';
import { Names, pointOwnDns } from '../../rehearsal/machines/names.ts';
import { reservePort } from '../../rehearsal/machines/ports.ts';
import { tlsServerOptions } from '../../rehearsal/machines/tls-server.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld } from './make-world.ts';

const undo: (() => Promise<unknown> | void)[] = [];
let authority: string;
let seen: IncomingHttpHeaders;
const ports = { https: 0, http: 0, distribution: 0 };
const HEALTH = '/health/ready';
const secret = { 'X-Origin-Secret': 'of this test' };

/** A node behind a listener that wants the secret, behind a distribution that knows it; and a listener that redirects. */
beforeAll(async () => {
  const world = await makeWorld();
  undo.push(() => world.close());
  authority = readFileSync(world.certificateAuthorityFile, 'utf8');
  const node = createServer(({ url, headers }, answer) => {
    // The load balancer goes on asking for the node's health.
    if (url !== HEALTH) seen = headers;
    answer.setHeader('X-Content-Type-Options', 'of the node').end('hello');
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  undo.push(() => closed(node));

  const group = new TargetGroup(world, {
    arn: 'arn:group',
    name: 'group',
    healthCheck: {
      path: HEALTH,
      intervalSeconds: 5,
      timeoutSeconds: 2,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      matcher: '200',
    },
    attributes: () => ({}),
  });
  group.inUse = true;
  group.register('127.0.0.1', (node.address() as AddressInfo).port);
  undo.push(() => group.close());
  await eventually(() => expect(group.health()).toMatchObject([{ state: 'healthy' }]));

  const settings = {
    idleTimeoutSeconds: 5,
    dropInvalidHeaders: true,
    forwardedFor: 'preserve',
    answerHeaders: { 'x-content-type-options': 'nosniff' },
  } as const;
  const refused = { type: 'fixed-response', code: 403, contentType: 'text/plain', body: 'another address' } as const;
  const https = new Listener('arn:https', refused, settings, tlsServerOptions(world));
  https.rules.push({
    priority: 1,
    conditions: [{ field: 'http-header', headerName: 'X-Origin-Secret', values: ['of this test'] }],
    action: { type: 'forward', group },
  });
  const redirects = { type: 'redirect', protocol: 'HTTPS', port: '443', code: 301 } as const;
  const http = new Listener('arn:http', redirects, settings);
  const origin: Origin = {
    scheme: 'https',
    localPort: () => ports.https,
    customHeaders: secret,
    readTimeoutSeconds: 5,
  };
  const distribution = new Distribution(origin, tlsServerOptions(world), authority);
  for (const [name, server] of Object.entries({ https, http, distribution })) {
    const { port } = await reservePort();
    await server.listen(port);
    undo.push(() => server.close());
    ports[name as keyof typeof ports] = port;
  }
});
afterAll(async () => {
  for (const work of undo.reverse()) await work();
});

test('a listener speaks TLS under whatever name is asked for, refuses without the secret, and has its own headers', async () => {
  expect(await ask(ports.https, 'moodle.example.org')).toMatchObject({ status: 403, body: 'another address' });
  expect(await ask(ports.https, 'moodle.example.org', secret)).toMatchObject({
    status: 200,
    body: 'hello',
    headers: { 'x-content-type-options': 'nosniff' },
  });
  expect(seen).toMatchObject({ host: 'moodle.example.org', 'x-forwarded-proto': 'https' });
  expect((await ask(ports.https, 'other.example.org')).status).toBe(403);
});

test('HTTP is sent to HTTPS, to the same page', async () => {
  const answer = await ask(ports.http, 'moodle.example.org', {}, '/course/view.php?id=2');
  expect(answer).toMatchObject({
    status: 301,
    headers: { location: 'https://moodle.example.org:443/course/view.php?id=2' },
  });
});

test('CloudFront shows the secret, and writes the visitor’s address behind what the visitor pretends', async () => {
  const forged = { 'X-Forwarded-For': '198.51.100.66', 'X-Origin-Secret': 'guessed' };
  expect(await ask(ports.distribution, 'moodle.example.org', forged)).toMatchObject({ status: 200, body: 'hello' });
  expect(seen).toMatchObject({
    host: 'moodle.example.org',
    'x-forwarded-for': '198.51.100.66, 127.0.0.1',
    'x-origin-secret': 'of this test',
    'x-forwarded-proto': 'https',
  });
});

test('the name of a site whose DNS is elsewhere leads to where the outputs say', () => {
  const names = new Names();
  names.listens('127.0.0.1:4000', 80, 4000);
  names.listens('127.0.0.1:4000', 443, 4001);
  names.listens('127.0.0.1:5000', 443, 5000);
  const outputs: Record<string, string> = {
    SiteAddress: 'https://moodle.example.org',
    LoadBalancerName: '127.0.0.1:4000',
  };
  pointOwnDns(names, (key) => outputs[key]);
  expect(names.connections()).toEqual({ 'moodle.example.org:80': 4000, 'moodle.example.org:443': 4001 });
  // A zone of the templates has the last word.
  names.lead('moodle.example.org.', 'dualstack.127.0.0.1:5000');
  pointOwnDns(names, (key) => outputs[key]);
  expect(names.connections()).toEqual({ 'moodle.example.org:443': 5000 });
  expect(() => names.lead('moodle.example.org', 'nowhere.test')).toThrow('there is no such server');
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(port: number, host: string, headers: Record<string, string> = {}, path = '/'): Promise<Answer> {
  const send = port === ports.http ? request : tlsRequest;
  return new Promise((resolve, reject) => {
    const asked = send(
      {
        host: '127.0.0.1',
        port,
        path,
        servername: host,
        ca: authority,
        agent: false,
        headers: { ...headers, Host: host },
      },
      async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts).toString() });
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
