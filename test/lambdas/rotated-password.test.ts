import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { RDSClient } from '@aws-sdk/client-rds';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Wait } from '../../lambdas/shared/errors.ts';
import { type FoundDatabase, findDatabase } from '../../lambdas/shared/rds/databases.ts';
import { namesOf } from '../../lambdas/shared/rds/names.ts';
import { putBackDatabase } from '../../lambdas/shared/rds/put-back-database.ts';
import { createSnapshot, findSnapshot } from '../../lambdas/shared/rds/snapshots.ts';
import { readLogin } from '../../lambdas/shared/secrets.ts';
import { type Settings, settingsFrom } from '../../lambdas/shared/settings.ts';
import type { Account } from '../../rehearsal/account.ts';
import { rdsProviders } from '../../rehearsal/machines/providers/rds.ts';
import { rdsService } from '../../rehearsal/services/rds/service.ts';
import { deploy } from '../rehearsal/support/account.ts';
import { writeAssembly } from '../rehearsal/support/assembly.ts';
import { auroraPostgreSql, auroraWriter, mariaDb } from '../rehearsal/support/resources.ts';
import { eventually } from '../support/eventually.ts';

const login = { MasterUsername: 'moodle', MasterUserPassword: 'before-the-rotation' };
const secret = {
  Type: 'AWS::SecretsManager::Secret',
  Properties: { SecretString: '{"username":"moodle","password":"before-the-rotation"}' },
};
const cdkOut = writeAssembly({
  Campus: {
    template: {
      Resources: {
        ClusterSecret: secret,
        InstanceSecret: secret,
        Cluster: auroraPostgreSql({ DBClusterIdentifier: 'cluster', ...login }),
        Writer: auroraWriter('Cluster', 'cluster-writer'),
        Instance: mariaDb({ DBInstanceIdentifier: 'instance', ...login }),
      },
      Outputs: {
        ClusterSecretArn: { Value: { Ref: 'ClusterSecret' } },
        InstanceSecretArn: { Value: { Ref: 'InstanceSecret' } },
      },
    },
  },
});

let account: Account;
let rds: RDSClient;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  // Fast enough for RDS's five minutes between two uploads of its log.
  account = await deploy(cdkOut, { pace: 600, providers: rdsProviders, services: (world) => [rdsService(world)] });
  rds = new RDSClient(account.clientConfiguration);
  secrets = new SecretsManagerClient(account.clientConfiguration);
});
afterAll(() => account?.close());

const ca = () => readFileSync(account.world.certificateAuthorityFile, 'utf8');
const to = { host: '127.0.0.1', user: 'moodle', database: 'moodle' };

async function onPostgres(port: number, password: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ ...to, port, password, ssl: { ca: ca() } });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function onMariaDb(port: number, password: string, statement: string): Promise<unknown[]> {
  const connection = await createConnection({ ...to, port, password, ssl: { ca: ca() } });
  try {
    const [rows] = await connection.query(statement);
    return rows as unknown[];
  } finally {
    await connection.end();
  }
}

const databases = [
  {
    kind: 'cluster',
    engine: 'aurora-postgresql',
    secretOutput: 'ClusterSecretArn',
    run: onPostgres,
    rotation: (password: string) => `ALTER ROLE moodle PASSWORD '${password}'`,
  },
  {
    kind: 'instance',
    engine: 'mariadb',
    secretOutput: 'InstanceSecretArn',
    run: onMariaDb,
    rotation: (password: string) => `SET PASSWORD = PASSWORD('${password}')`,
  },
] as const;

const portOf = (found: FoundDatabase | undefined) =>
  (found?.kind === 'cluster' ? found.cluster.Port : found?.instance.Endpoint?.Port) ?? 0;

describe('a password that was rotated after the moment that the database goes back to', () => {
  it.concurrent.each(databases)('is the restored $engine’s', async ({ kind, engine, secretOutput, run, rotation }) => {
    const origin = { site: 'campus', execution: `arn:aws:states:eu-west-1:111122223333:execution:update:${kind}` };
    const settings: Settings = settingsFrom({ SITE: 'campus', DATABASE_IDENTIFIER: kind, DATABASE_ENGINE: engine });
    const secretArn = account.output(secretOutput);
    const port = async (identifier: string) => portOf(await findDatabase(rds, settings, identifier));
    const own = await port(kind);
    const old = login.MasterUserPassword;
    await run(own, old, 'CREATE TABLE notes (note varchar(20))');
    await run(own, old, "INSERT INTO notes VALUES ('before')");
    await createSnapshot(rds, settings, `of-${kind}`, {});
    await eventually(async () => expect((await findSnapshot(rds, settings, `of-${kind}`))?.status).toBe('available'));
    // RDS restores to whole seconds.
    await wait(1_000 - (Date.now() % 1_000));
    const at = new Date();
    await wait(1_000);
    const password = randomBytes(18).toString('base64url');
    await run(own, old, rotation(password));
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: secretArn,
        SecretString: JSON.stringify({ username: 'moodle', password }),
      }),
    );
    await run(own, password, "INSERT INTO notes VALUES ('after')");

    const restoredWith: string[] = [];
    const point = {
      at,
      snapshot: undefined,
      keepDays: 14,
      readLogin: async () => {
        // The first time, just before it is set.
        const restored = await port(namesOf(origin).restored);
        if (restoredWith.length === 0) {
          for (const known of [old, password]) {
            const answer = await run(restored, known, 'SELECT 1').catch(({ message }: Error) => message);
            restoredWith.push(typeof answer === 'string' ? answer : 'logged in');
          }
        }
        return readLogin(secrets, secretArn);
      },
    };
    // Short of the test's own, so that it is known what was waited for.
    const deadline = Date.now() + 45_000;
    for (let done = false; !done; ) {
      done = await putBackDatabase(rds, settings, origin, point).then(
        () => true,
        async (error: unknown) => {
          if (!(error instanceof Wait) || Date.now() > deadline) throw error;
          await wait(100);
          return false;
        },
      );
    }
    expect(restoredWith).toEqual(['logged in', expect.stringMatching(/password authentication failed|Access denied/)]);
    expect(await run(await port(kind), password, 'SELECT note FROM notes')).toEqual([{ note: 'before' }]);
    await expect(run(await port(kind), old, 'SELECT 1')).rejects.toThrow(
      /password authentication failed|Access denied/,
    );
  });
});
