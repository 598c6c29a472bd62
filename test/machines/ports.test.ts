import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { choosePort, reservePort } from '../../rehearsal/machines/ports.ts';
import { makeWorld } from './make-world.ts';

test('a reserved port is nobody else’s, until it is released', async () => {
  const reserved = await reservePort();
  const other = await reservePort(reserved.port);
  expect(other.port).not.toBe(reserved.port);
  other.release();
  reserved.release();
  reserved.release();
  const again = await reservePort(reserved.port);
  expect(again.port).toBe(reserved.port);
  again.release();
});

test('another process does not get it either, and whoever is killed keeps none', async () => {
  const module = new URL('../../rehearsal/machines/ports.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(module)}).then(async ({ reservePort }) => {
    setInterval(() => {}, 1000);
    console.log((await reservePort(Number(process.argv[1]))).port);
  });`;
  const reserved = await reservePort();
  const child = spawn(process.execPath, ['-e', script, String(reserved.port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const theirs = Number(line);
  expect(theirs).not.toBe(reserved.port);
  const denied = await reservePort(theirs);
  expect(denied.port).not.toBe(theirs);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const freed = await reservePort(theirs);
  expect(freed.port).toBe(theirs);
  for (const one of [reserved, denied, freed]) one.release();
});

test('a port that a program listens at is not given, and none that the system gives by itself', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const reserved = await reservePort(port);
  expect(reserved.port).not.toBe(port);
  expect(reserved.port).toBeLessThan(32_768);
  reserved.release();
  server.close();
});

test('a name keeps its port in a rehearsal, and in the next on the same folder', async () => {
  const first = await makeWorld();
  const [one, same, other] = await Promise.all([
    choosePort(first, 'one'),
    choosePort(first, 'one'),
    choosePort(first, 'other'),
  ]);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
  const { state } = first;
  await first.close();
  const next = await makeWorld({ state });
  expect(await choosePort(next, 'one')).toBe(one);
  await next.close();
});
