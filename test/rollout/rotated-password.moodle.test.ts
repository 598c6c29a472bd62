import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

/** How long a rotation function takes from changing the password to declaring it current; seconds at the least. */
const ROTATION_MILLISECONDS = 4_000;

/** The steps of a rotation function of Secrets Manager for one user: stage, change, declare current. */
async function rotate(site: Site): Promise<void> {
  const secrets = new SecretsManagerClient(site.account.clientConfiguration);
  const { secretArn, fields, versionId, isPostgres } = site.database;
  const password = randomBytes(18).toString('base64url');
  const { VersionId = '' } = await secrets.send(
    new PutSecretValueCommand({
      SecretId: secretArn,
      SecretString: JSON.stringify({ ...fields, password }),
      VersionStages: ['AWSPENDING'],
    }),
  );
  await site.query(
    isPostgres ? `ALTER ROLE ${fields.username} PASSWORD '${password}'` : `SET PASSWORD = PASSWORD('${password}')`,
  );
  await wait(ROTATION_MILLISECONDS);
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: secretArn,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: VersionId,
      RemoveFromVersionId: versionId,
    }),
  );
}

interface Visits {
  readonly answered: number;
  readonly failed: number;
  readonly loggedOut: number;
  /** Milliseconds from the first failed answer to the last. */
  readonly gap: number;
}

/** People who click all the time, each as soon as the last page is there. */
function visit(people: readonly Browser[]): { stop(): Promise<Visits> } {
  let stopped = false;
  const counts = { answered: 0, failed: 0, loggedOut: 0 };
  const failures: number[] = [];
  const click = async (browser: Browser) => {
    while (!stopped) {
      const page = await browser.get('/my/').catch(() => undefined);
      if (page === undefined || page.status >= 500) {
        counts.failed += 1;
        failures.push(Date.now());
      } else if (page.text.includes('login/logout.php?sesskey=')) counts.answered += 1;
      else counts.loggedOut += 1;
    }
  };
  const clicking = people.map(click);
  return {
    async stop() {
      stopped = true;
      await Promise.all(clicking);
      return { ...counts, gap: failures.length > 0 ? Math.max(...failures) - Math.min(...failures) : 0 };
    },
  };
}

describe.each([
  { databaseEngine: 'aurora-postgresql', databaseAccess: 'data-api' },
  { databaseEngine: 'mariadb', databaseAccess: 'network' },
])('the password of the database is rotated, $databaseEngine', (context) => {
  let site: Site;
  let people: Browser[];

  beforeAll(async () => {
    site = await Site.open({ context });
    expect((await site.install({ nodes: 2 })).failure).toBeUndefined();
    const { username, password } = site.administrator;
    people = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const browser = new Browser(site.address);
        expect(await browser.signIn(username, password)).toBe(true);
        return browser;
      }),
    );
  });
  afterAll(() => site?.close());

  it('the nodes go on before the rotation is over, and nobody is logged out', async () => {
    const visits = visit(people);
    await wait(2_000);
    await rotate(site);
    await wait(5_000);
    const seen = await visits.stop();
    console.log(`${context.databaseEngine}: ${JSON.stringify(seen)}`);
    expect(seen.loggedOut).toBe(0);
    expect(seen.answered).toBeGreaterThan(10);
    expect(seen.gap).toBeLessThan(ROTATION_MILLISECONDS);
  });

  it('a rollout works on it: functions and new nodes have the new password', async () => {
    const progress = await site.install({ nodes: 3 });
    expect(progress.failure).toBeUndefined();
    for (const browser of people) expect(await browser.isSignedIn()).toBe(true);
  });
});
