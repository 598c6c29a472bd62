import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atOwnPort, HealthShell } from '../../rehearsal/machines/ecs/health-command.ts';
import { ProcessKeeper } from '../../rehearsal/machines/process-keeper.ts';

const container = { name: 'moodle', image: 'image', portMappings: [{ containerPort: 8080 }] };
const env = { PATH: process.env.PATH ?? '' };
const server = createServer((request, response) =>
  response.writeHead(request.url === '/health/live' ? 200 : 503).end('x'),
);
const keeper = new ProcessKeeper();
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.close();
  await keeper.close();
});

test.each([
  ['curl http://localhost:8080/health/live', 'curl http://127.0.0.1:4711/health/live'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:4711'],
  ['http://127.0.0.1:80801/', 'http://127.0.0.1:80801/'],
  ['http://elsewhere:8080/', 'http://elsewhere:8080/'],
])('%s means the node’s own port', (word, expected) => {
  expect(atOwnPort(word, container, 4711)).toBe(expected);
});

describe('a health check', () => {
  const shell = new HealthShell(keeper, env);
  const check = (...command: string[]) => shell.run({ command, timeout: 2 }, container, port);

  // In this order in one shell: none may spoil it for the next.
  test.each<[string[], boolean]>([
    [['CMD', 'curl', '--fail', '--silent', 'http://127.0.0.1:8080/health/live'], true],
    [['CMD', 'curl', '--fail', '--silent', 'http://127.0.0.1:8080/other'], false],
    [['CMD-SHELL', 'curl -fsS http://localhost:8080/health/live || exit 1'], true],
    [['CMD-SHELL', 'exit 1'], false],
    [['CMD-SHELL', "echo 'a word'; test 'a word' = \"a word\""], true],
    [['CMD-SHELL', 'if without its end'], false],
    [['CMD', 'test', "it's", '=', "it's"], true],
    [['CMD', '/no/such/program'], false],
    [['CMD-SHELL', 'sleep 30'], false],
    [['CMD', 'true'], true],
    [['CMD-SHELL', 'kill -9 $PPID; sleep 1'], false],
    [['CMD', 'true'], true],
  ])('%j', async (command, healthy) => {
    expect(await check(...command)).toBe(healthy);
  });
});
