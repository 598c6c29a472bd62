import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservePort } from '../../rehearsal/machines/ports.ts';
import { eventually } from '../support/eventually.ts';
import { image, leftOut, run } from './run.ts';

const noServers = leftOut('nginx and php-fpm as a node sets them up', 'nginx', 'php-fpm', 'setpriv');

/** A code tree that answers what it was asked, in Moodle's place. */
const pages: Record<string, string> = {
  'code/index.php': '<?php echo "front page";',
  'code/r.php': '<?php echo "router";',
  'code/pluginfile.php': '<?php echo json_encode([$_SERVER["PATH_INFO"] ?? null, $_SERVER["SCRIPT_NAME"]]);',
  'code/server.php':
    '<?php echo json_encode([$_SERVER["SERVER_PORT"], $_SERVER["HTTP_X_FORWARDED_FOR"] ?? null, getenv("MOODLE_SITE")]);',
  'code/send.php': '<?php header("X-Accel-Redirect: /x-dataroot/filedir/stored"); header("Content-Type: image/png");',
  'code/slow.php': '<?php usleep(700000); echo "finished";',
  'code/input.php': '<?php echo ini_get("max_input_vars"), " ", ini_get("post_max_size");',
  'code/upload.php':
    '<?php echo json_encode([$_FILES["file"]["error"] ?? null, $_FILES["file"]["size"] ?? null, strlen($_POST["text"] ?? "")]);',
  'code/cookies.php':
    '<?php for ($i = 0; $i < 30; $i++) header("X-Large-$i: " . str_repeat("x", 1000)); echo strlen($_SERVER["HTTP_COOKIE"]);',
  'code/lib/tests/secret.php': '<?php echo "must not run";',
  'code/vendor/secret.php': '<?php echo "must not run";',
  'code/README.md': 'not for visitors',
  'code/lib/db/install.xml': 'not for visitors',
  'code/.git/config': 'not for visitors',
  'code/theme/pix/a.svg': '<svg/>',
  'data/filedir/stored': 'stored file',
};

let folder: string;
let port: number;
let node: ChildProcess;
let output = '';

/** The two servers by the node's own functions, with what the entrypoint sets for them. */
const program = `
set -euo pipefail
stop() { echo "$*" >&2; exit 1; }
drain_seconds=20
source "$MOODLE_NODE_SCRIPTS/servers.bash"
limit_requests
write_server_configuration
nginx_pid=
trap '[ -z "$nginx_pid" ] || kill -QUIT "$nginx_pid"' TERM
start_servers
wait -n "$nginx_pid" "$fpm_pid" || true
stop_servers
echo ended in order
`;

beforeAll(async () => {
  if (noServers) return;
  folder = mkdtempSync(join(tmpdir(), 'servers-'));
  for (const [name, text] of Object.entries(pages)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const name of ['run', 'nginx', 'tmp', 'localcache']) mkdirSync(join(folder, 'local', name), { recursive: true });
  writeFileSync(join(folder, 'local', 'opcache-blacklist'), '');
  ({ port } = await reservePort());
  node = spawn('bash', ['-c', program], {
    env: {
      PATH: `${process.env.PATH}:/usr/sbin`,
      MOODLE_SITE: 'site',
      MOODLE_NODE_ID: 'node-1',
      MOODLE_SESSION_STORE: 'database',
      MOODLE_WWWROOT: 'https://moodle.test',
      MOODLE_NODE_SCRIPTS: image,
      MOODLE_DIRROOT: join(folder, 'code'),
      MOODLE_DATAROOT: join(folder, 'data'),
      MOODLE_LOCAL: join(folder, 'local'),
      MOODLE_LISTEN: `127.0.0.1:${port}`,
      MOODLE_UPLOAD_MAX: '1M',
      MOODLE_PHP_WORKERS: '3',
    },
  });
  for (const stream of [node.stdout, node.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  await untilLive();
});
afterAll(() => {
  node?.kill('SIGKILL');
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function untilLive(): Promise<void> {
  const live = eventually(async () => expect((await get('/health/live')).status).toBe(200));
  const ended = once(node, 'exit').then(([code]) => Promise.reject(new Error(`they ended with ${code}`)));
  await Promise.race([live, ended]).catch((error: unknown) => {
    throw new Error(`The servers did not start: ${String(error)}\n${output}`);
  });
}

function get(path: string, headers: Record<string, string> = {}, body?: Buffer) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const method = body ? 'POST' : 'GET';
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false, maxHeaderSize: 65_536 },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

describe.skipIf(noServers)('nginx and php-fpm of a node', () => {
  test('both accept their configuration', () => {
    const local = join(folder, 'local');
    const nginx = run('nginx', ['-t', '-e', 'stderr', '-c', join(local, 'run/nginx.conf')]);
    expect(nginx.stderr).toContain('test is successful');
    expect(nginx.stderr).not.toContain('[warn]');
    expect(readFileSync(join(local, 'run/php-fpm.conf'), 'utf8')).not.toMatch(/@[A-Z_]+@/);
    expect(readFileSync(join(local, 'run/nginx.conf'), 'utf8')).not.toMatch(/@[A-Z_]+@/);
  });

  test('liveness comes from nginx; every answer names the node, also an error', async () => {
    expect(await get('/health/live')).toMatchObject({
      status: 200,
      body: 'ok\n',
      headers: { 'content-type': 'text/plain', 'x-moodle-node': 'node-1' },
    });
    for (const path of ['/', '/lib/', '/theme/pix/a.svg', '/.git/config', '/nothing.php', '/health/ready']) {
      expect((await get(path)).headers['x-moodle-node']).toBe('node-1');
    }
  });

  test('readiness is 503 with reasons only in the log when nothing is behind the node', async () => {
    const { status, body } = await get('/health/ready');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({ checks: { database: false, files: true, sessionStore: false, version: false } });
    await eventually(() =>
      expect(output).toContain('not ready: database: The environment variable MOODLE_DATABASE_TYPE is missing'),
    );
  });

  test('the path after a script is whatever a stored file is called', async () => {
    for (const info of ['/5/a/README.md', '/5/vendor/x.php', '/5/a/.hidden', '/5/tests/install.xml']) {
      expect(JSON.parse((await get(`/pluginfile.php${info}`)).body)).toEqual([info, '/pluginfile.php']);
    }
  });

  test.each([
    '/README.md',
    '/lib/db/install.xml',
    '/.git/config',
    '/lib/tests/secret.php',
    '/vendor/secret.php',
    '/nothing.php',
    '/nothing.php/x',
    '/x-dataroot/filedir/stored',
  ])('%s is not served', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  test('a path that is no file goes to the router', async () => {
    expect((await get('/some/route?a=1')).body).toBe('router');
    expect((await get('/')).body).toBe('front page');
  });

  test('the port is the one that the client used, by its Host header or the scheme of the site’s address', async () => {
    const seen = async (host: string) => JSON.parse((await get('/server.php', { Host: host })).body)[0];
    expect(await seen('moodle.test:8443')).toBe('8443');
    expect(await seen('moodle.test')).toBe('443');
  });

  test('PHP sees the environment and the header of the load balancer', async () => {
    const { body } = await get('/server.php', { 'X-Forwarded-For': '198.51.100.7', Proxy: 'http://evil.test' });
    expect(JSON.parse(body).slice(1)).toEqual(['198.51.100.7', 'site']);
  });

  test('nginx sends stored files with the type that Moodle gave', async () => {
    expect(await get('/send.php')).toMatchObject({
      status: 200,
      body: 'stored file',
      headers: { 'content-type': 'image/png' },
    });
  });

  test('a file of exactly the promised size passes with the rest of its form, and one byte more does not', async () => {
    const upload = async (bytes: number) => {
      const type = 'multipart/form-data; boundary=limit';
      const part = (name: string, content: Buffer | string) =>
        Buffer.concat([
          Buffer.from(`--limit\r\nContent-Disposition: form-data; name=${name}\r\n\r\n`),
          Buffer.from(content),
          Buffer.from('\r\n'),
        ]);
      const body = Buffer.concat([
        part('text', 'x'.repeat(1024 * 1024)),
        part('"file"; filename="all.zip"', Buffer.alloc(bytes)),
        Buffer.from('--limit--\r\n'),
      ]);
      return JSON.parse((await get('/upload.php', { 'Content-Type': type }, body)).body);
    };
    expect((await get('/input.php')).body).toBe(`5000 ${9 * 1024 * 1024}`);
    expect(await upload(1024 * 1024)).toEqual([0, 1024 * 1024, 1024 * 1024]);
    // UPLOAD_ERR_INI_SIZE: Moodle says so in words.
    expect(await upload(1024 * 1024 + 1)).toEqual([1, 0, 1024 * 1024]);
    expect((await get('/input.php', {}, Buffer.alloc(9 * 1024 * 1024 + 1))).status).toBe(413);
  });

  test('takes every header that the load balancer lets through, and answers with as many', async () => {
    const cookies = Array.from({ length: 12 }, (_, at) => `c${at}=${'x'.repeat(1000)}`).join('; ');
    const answer = await get('/cookies.php', { Cookie: cookies });
    expect(answer).toMatchObject({ status: 200, body: String(cookies.length) });
    expect(answer.headers['x-large-29']).toHaveLength(1000);
    const line = 'x'.repeat(16 * 1024 - 100);
    // What goes to PHP has to be below 64 KB, with the address three times.
    expect((await get(`/theme/pix/a.svg?${line}`, { Cookie: line, 'X-One': line, 'X-Two': line })).status).toBe(200);
    expect((await get('/cookies.php', { Cookie: line, 'X-One': line, 'X-Two': line })).body).toBe(String(line.length));
  });

  test('the access log is JSON without query strings', async () => {
    await get('/server.php?sesskey=secret-key', { 'X-Forwarded-For': '198.51.100.9' });
    const line = await eventually(() => {
      const found = output.split('\n').findLast((text) => text.includes('198.51.100.9'));
      expect(found).toBeDefined();
      return found;
    });
    expect(JSON.parse(line ?? '')).toMatchObject({ uri: '/server.php', status: 200, client: '198.51.100.9' });
    expect(output).not.toContain('secret-key');
  });

  // Last: it ends the servers.
  test('a request in flight is answered before the servers end', async () => {
    const slow = get('/slow.php');
    await wait(200);
    await get('/health/live');
    const ended = new Promise((resolve) => node.once('close', resolve));
    node.kill('SIGTERM');
    expect(await slow).toMatchObject({ status: 200, body: 'finished' });
    await ended;
    expect(output).toContain('ended in order');
    await expect(get('/health/live')).rejects.toThrow();
  });
});
