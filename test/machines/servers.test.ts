import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMariaDb } from '../../rehearsal/machines/mariadb.ts';
import { startMemcached } from '../../rehearsal/machines/memcached.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { startRedis } from '../../rehearsal/machines/redis.ts';
import { makeWorld } from './make-world.ts';

let world: Awaited<ReturnType<typeof makeWorld>>;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

test('PostgreSQL takes the owner over verified TLS, and refuses a connection without TLS', async () => {
  const server = await startPostgres(world, 'demo');
  await server.ensureOwner('moodle', "pass'word", 'moodle');
  await server.ensureOwner('moodle', "pass'word", 'moodle');
  const common = { ...server, user: 'moodle', password: "pass'word", database: 'moodle' };
  const client = new Client({ ...common, ssl: { ca: readFileSync(world.certificateAuthorityFile, 'utf8') } });
  await client.connect();
  const { rows } = await client.query(
    'SELECT current_user, rolsuper, (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) FROM pg_roles WHERE rolname = current_user',
  );
  expect(rows).toEqual([{ current_user: 'moodle', rolsuper: false, ssl: true }]);
  await client.query('CREATE TABLE kept (id int)');
  await client.end();
  await expect(new Client({ ...common, ssl: false }).connect()).rejects.toThrow(/no encryption|pg_hba/);
});

test('MariaDB keeps its temporary tables when another one starts', async () => {
  const { host, port, administrator } = await startMariaDb(world, 'demo');
  const ssl = { ca: readFileSync(world.certificateAuthorityFile, 'utf8') };
  const connection = await createConnection({ host, port, ...administrator, ssl });
  await connection.query('CREATE DATABASE demo');
  await connection.query('CREATE TEMPORARY TABLE demo.counted (n int) ENGINE = Aria');
  await connection.query('INSERT INTO demo.counted VALUES (1)');
  await startMariaDb(world, 'other');
  await connection.query('DROP TEMPORARY TABLE demo.counted');
  await connection.end();
});

test('Redis wants TLS and the password, and takes settings of the parameter group', async () => {
  const { host, port } = await startRedis(world, 'sessions', 'secret"token', { 'maxmemory-policy': 'noeviction' });
  const tls = { ca: readFileSync(world.certificateAuthorityFile, 'utf8') };
  const redis = new Redis({ host, port, password: 'secret"token', tls, lazyConnect: true });
  await redis.connect();
  expect(await redis.set('key', 'value')).toBe('OK');
  expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  redis.disconnect();
  expect(await firstAnswer(connectTls({ host, port, ca: tls.ca }), 'GET key\r\n')).toMatch(/^-NOAUTH/);
  expect(await firstAnswer(connect(port, host), 'PING\r\n')).toBe('');
});

test('Memcached answers', async () => {
  const { port } = await startMemcached(world, 'sessions');
  expect(port).toBeGreaterThan(0);
});

/** What the server answers to these bytes; empty when it hangs up. */
function firstAnswer(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('close', () => resolve(''));
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.write(request);
  });
}
