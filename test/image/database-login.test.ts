import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DatabaseServer } from '../../rehearsal/machines/databases.ts';
import { startMariaDb } from '../../rehearsal/machines/mariadb.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { makeWorld } from '../machines/make-world.ts';
import { eventually } from '../support/eventually.ts';
import { type Ended, image, leftOut } from './run.ts';

const noPhp = leftOut('the reading of rotated passwords', 'php');

const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:database-AbCdEf';
const key = { AccessKeyId: 'ASIA1', SecretAccessKey: 'key/secret+1', Token: 'token==' };

/** Not run.ts's, which would keep this process from answering as AWS meanwhile. */
function php(words: readonly string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn('php', ['-c', join(image, 'php.ini'), ...words], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk) => (ended[stream] += chunk));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...ended })));
}

/** Stands for Secrets Manager and for ECS's credentials, and takes only what is signed as AWS wants it. */
class Aws {
  uri = '';
  /** Password by version stage. */
  readonly passwords = new Map<string, string>();
  requests = 0;
  readonly #server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const [status, answer] = message.url === '/credentials' ? [200, key] : this.#secret(message, body);
    response.writeHead(status as number).end(JSON.stringify(answer));
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.uri = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close = () => this.#server.close();

  #secret(message: IncomingMessage, body: string): [number, object] {
    this.requests += 1;
    if (!isSigned(message, body)) return [400, { __type: 'InvalidSignatureException' }];
    const { SecretId, VersionStage } = JSON.parse(body);
    const password = this.passwords.get(VersionStage);
    if (SecretId !== secretArn || message.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue' || !password) {
      return [400, { __type: 'ResourceNotFoundException', Message: 'none' }];
    }
    return [200, { ARN: SecretId, SecretString: JSON.stringify({ username: 'moodle', password }) }];
  }
}

/** Signature Version 4 as AWS documents it, worked out from the request alone. */
function isSigned({ headers, method, url }: IncomingMessage, body: string): boolean {
  const [, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=ASIA1\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  for (const name of ['host', 'x-amz-date', 'x-amz-security-token']) if (!names.split(';').includes(name)) return false;
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const signed = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, url, '', signed.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  let secret: Buffer = Buffer.from(`AWS4${key.SecretAccessKey}`);
  for (const part of scope.split('/')) secret = createHmac('sha256', secret).update(part).digest();
  return (
    headers['x-amz-security-token'] === key.Token &&
    createHmac('sha256', secret).update(toSign).digest('hex') === signature
  );
}

describe.skipIf(noPhp).each([
  ['pgsql', startPostgres],
  ['mysqli', startMariaDb],
] as const)('the login of a node to %s', (type, startServer) => {
  const aws = new Aws();
  let world: Awaited<ReturnType<typeof makeWorld>>;
  let server: DatabaseServer;
  let local: string;
  let file: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    world = await makeWorld();
    await aws.start();
    server = await startServer(world, 'login');
  });
  afterAll(async () => {
    aws.close();
    await world?.close();
  });
  beforeEach(async () => {
    local = join(world.directory, 'local');
    rmSync(local, { recursive: true, force: true });
    mkdirSync(join(local, 'run'), { recursive: true });
    file = join(local, 'run', 'database-login.json');
    aws.passwords.clear();
    aws.passwords.set('AWSCURRENT', 'old-secret');
    await setPassword('old-secret');
    environment = {
      MOODLE_LOCAL: local,
      MOODLE_UPLOAD_MAX: '1M',
      MOODLE_NODE_SCRIPTS: image,
      MOODLE_DATABASE_TYPE: type,
      MOODLE_DATABASE_HOST: server.host,
      MOODLE_DATABASE_PORT: String(server.port),
      MOODLE_DATABASE_NAME: 'moodle',
      MOODLE_DATABASE_SSLMODE: 'verify-full',
      MOODLE_DATABASE_USER: 'moodle',
      MOODLE_DATABASE_PASSWORD: 'old-secret',
      MOODLE_DATABASE_SECRET_ARN: secretArn,
      AWS_ENDPOINT_URL: aws.uri,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.uri}/credentials`,
      SSL_CERT_FILE: world.certificateAuthorityFile,
    };
  });

  const setPassword = (password: string) => server.ensureOwner('moodle', password, 'moodle');
  const fetch = (asked: boolean, changes: Record<string, string> = {}) =>
    php([join(image, 'scripts/fetch-database-login.php'), asked ? 'asked' : ''], { ...environment, ...changes });
  const login = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).password : undefined);

  test('is read anew when the secret has changed, into a file for this user alone', async () => {
    await setPassword('new-secret');
    aws.passwords.set('AWSCURRENT', 'new-secret');
    expect(await fetch(false)).toMatchObject({ status: 0, stderr: expect.stringContaining('was changed') });
    expect([login(), statSync(file).mode & 0o777]).toEqual(['new-secret', 0o600]);
    // Once more: nothing to say.
    expect(await fetch(false)).toMatchObject({ status: 0, stderr: '' });
  });

  test('leaves a database that nobody complained of alone, as it may be asleep', async () => {
    expect(await fetch(false, { MOODLE_DATABASE_HOST: 'nowhere.invalid' })).toMatchObject({ status: 0, stderr: '' });
    expect(login()).toBeUndefined();
  });

  test('is that of the pending version where a rotation has come that far', async () => {
    await setPassword('new-secret');
    aws.passwords.set('AWSPENDING', 'new-secret');
    expect((await fetch(true)).status).toBe(0);
    expect(login()).toBe('new-secret');
    // The current version still has the old one, and later no longer.
    expect((await fetch(false)).status).toBe(0);
    aws.passwords.set('AWSCURRENT', 'new-secret');
    expect((await fetch(false)).status).toBe(0);
    expect(login()).toBe('new-secret');
  });

  test('stays as it is when the database refuses all of them, or Secrets Manager does not answer', async () => {
    writeFileSync(file, JSON.stringify({ user: 'moodle', password: 'kept' }));
    await setPassword('nobody-knows');
    const refused = await fetch(true);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('refuses the login of its secret') });
    aws.passwords.clear();
    expect((await fetch(true)).stderr).toContain('answered 400 ResourceNotFoundException');
    expect((await fetch(true, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })).stderr).toContain('does not answer');
    expect(login()).toBe('kept');
    expect(refused.stderr).not.toMatch(/-secret|nobody-knows|key\//);
  });

  test('is read at once when a connection is refused, else every so many seconds', async () => {
    execFileSync('mkfifo', [join(local, 'run', 'database-login.ask')]);
    const keep = (seconds: string): ChildProcess =>
      spawn(join(image, 'keep-database-login'), {
        env: { PATH: process.env.PATH ?? '', ...environment, MOODLE_SECRET_SECONDS: seconds },
        stdio: 'ignore',
      });
    const program = `require '${image}/scripts/lib/lifecycle_database.php'; moodle_lifecycle\\lifecycle_database::connect_once();`;
    const connect = async () => (await php(['-r', program], environment)).status;
    const patient = keep('600');
    try {
      await eventually(() => expect(aws.requests).toBeGreaterThan(0));
      await wait(1_000);
      await setPassword('new-secret');
      aws.passwords.set('AWSCURRENT', 'new-secret');
      expect(await connect()).not.toBe(0);
      await eventually(() => expect(login()).toBe('new-secret'));
      expect(await connect()).toBe(0);
    } finally {
      patient.kill('SIGKILL');
    }
    const eager = keep('1');
    try {
      await setPassword('third-secret');
      aws.passwords.set('AWSCURRENT', 'third-secret');
      await eventually(() => expect(login()).toBe('third-secret'));
    } finally {
      eager.kill('SIGKILL');
    }
  });
});
