import { randomBytes } from 'node:crypto';
import { wordsOf } from '../say.ts';
import type { CacheServer, Settings } from '../settings.ts';
import { memcachedVersion, openMemcached } from '../stores/memcached.ts';
import { connectRedis } from '../stores/redis.ts';
import type { Outcome } from './one-off.ts';

/**
 * Connects to a store as a node will, and sets, gets and deletes one key.
 * @throws Error when `which` is neither `session` nor `application`
 */
export async function probe(settings: Settings, which: string | undefined): Promise<Outcome> {
  if (which !== 'session' && which !== 'application') throw new Error('say which: probe session | probe application');
  const server = which === 'session' ? settings.sessionServer : settings.applicationServer;
  const begin = performance.now();
  try {
    const version = server.type === 'redis' ? await probeRedis(server, settings) : await probeMemcached(server);
    return {
      ok: true,
      store: which,
      server: `${server.type} ${version}`,
      milliseconds: Math.round(performance.now() - begin),
    };
  } catch (error) {
    return { ok: false, store: which, problem: problemOf(which, server, wordsOf(error)) };
  }
}

async function probeRedis(server: CacheServer, { certificateAuthority }: Settings): Promise<string> {
  const client = await connectRedis({ ...server, tls: true, certificateAuthority });
  try {
    const key = probeKey();
    await client.set(key, 'probe', 'EX', 60);
    if ((await client.get(key)) !== 'probe') throw new Error('a key that was set did not come back');
    await client.del(key);
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'of unknown version';
  } finally {
    client.disconnect();
  }
}

async function probeMemcached(server: CacheServer): Promise<string> {
  const client = openMemcached(server);
  try {
    const key = probeKey();
    await client.set(key, 'probe', { expires: 60 });
    if ((await client.get(key)).value?.toString('utf8') !== 'probe')
      throw new Error('a key that was set did not come back');
    await client.delete(key);
    return await memcachedVersion(client);
  } finally {
    client.close();
  }
}

const probeKey = () => `moodle_lifecycle_probe_${randomBytes(8).toString('hex')}`;

function problemOf(which: string, { type, host, port }: CacheServer, words: string): string {
  const where = `the ${which} store (${type} at ${host}:${port})`;
  if (/WRONGPASS|NOAUTH|invalid password/i.test(words)) return `${where} refused the password: ${words}`;
  if (/certificate|self.signed|altnames|SSL|TLS/i.test(words))
    return `${where} cannot be trusted or speaks no TLS: ${words}`;
  return `${where} does not answer: ${words}`;
}
