import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

/** The address that the load balancer sees, and appends to X-Forwarded-For. */
const adminIp = '127.0.0.1';
const password = 'Chosen-By-The-Operator-1';

describe('an install whose wizard is finished in a browser', () => {
  let site: Site;
  let progress: Progress;
  let forged: number | undefined;
  let finished = false;
  let waitedFor = '';

  beforeAll(async () => {
    // The functions' bundles with MySQL's own protocol too, which the other rollouts do not speak.
    site = await Site.open({ context: { databaseEngine: 'mariadb', databaseAccess: 'network' } });
    const execution = await site.startInstall({ nodes: 2, finish: 'browser', adminIp });
    let acting = false;
    progress = await site.follow(execution, (now) => {
      const phase = now.phases.find(({ title }) => title === 'Fix lastip');
      if (acting || phase?.problem?.error !== 'AdministratorStillPending') return;
      acting = true;
      waitedFor = phase.problem.cause;
      void finishWizard();
    });
  });
  afterAll(() => site?.close());

  async function finishWizard(): Promise<void> {
    const rows = await site.query<{ lastip: string }>('SELECT lastip FROM mdl_user WHERE id = 2');
    expect(rows).toEqual([{ lastip: adminIp }]);
    // A client cannot pretend: what the load balancer appends is what counts.
    forged = (await new Browser(site.address, '198.51.100.7').get('/admin/index.php')).status;
    const browser = new Browser(site.address);
    const page = await browser.submit(await browser.get('/admin/index.php'), {
      newpassword: password,
      firstname: 'Admin',
      lastname: 'User',
      email: 'admin@example.org',
    });
    finished = page.status < 400;
  }

  it('goes on when the operator is done, to the end', () => {
    expect(finished).toBe(true);
    expect(progress.failure).toBeUndefined();
    expect(progress.status).toBe('succeeded');
  });

  it('goes on for the operator also with a forged header, since the last entry counts', () => {
    expect(forged).toBe(200);
  });

  it('shows what the phase waits for, and what it did', () => {
    const phase = progress.phases.find(({ title }) => title === 'Fix lastip');
    expect(waitedFor).toContain(site.address);
    expect(JSON.stringify(phase?.evidence)).toContain(adminIp);
  });

  it('lets the operator sign in with the password chosen', async () => {
    expect(await new Browser(site.address).signIn('admin', password)).toBe(true);
  });
});
