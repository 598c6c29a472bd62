import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import type { Serving } from '../../lambdas/shared/acknowledgements.ts';
import { functionsOf } from '../../rehearsal/lambda/functions.ts';
import { namesOf } from '../../rehearsal/machines/names.ts';
import { Site } from './site.ts';

/** A site as people have it: a name in a zone, HTTPS all the way, a firewall, and clients kept on their node. */
const behindCloudFront = {
  domainName: 'moodle.example.org',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
  hostedZoneName: 'example.org',
  cloudFront: 'true',
  cloudFrontOrigin: 'secret-header',
  waf: 'true',
  stickiness: 'true',
};

const phases = [
  'Check the site',
  'Build image',
  'Start one node',
  'Wait for install',
  'Fix lastip',
  'Configure cache stores',
  'Enable session caching',
  'Scale out',
  'Verify the site',
  'Release the site',
];

describe.each([
  { sessionStore: 'redis', databaseEngine: 'aurora-postgresql', databaseAccess: 'network' },
  { sessionStore: 'memcached', databaseEngine: 'aurora-mysql', databaseAccess: 'data-api', ...behindCloudFront },
])('a fresh install with sessions in $sessionStore, $databaseEngine by $databaseAccess', (context) => {
  let site: Site;
  let progress: Progress;

  beforeAll(async () => {
    site = await Site.open({ context });
    progress = await site.install({ nodes: 3 });
  });
  afterAll(() => site?.close());

  it('ends well, with evidence from every phase', () => {
    expect(progress.failure).toBeUndefined();
    expect(progress.status).toBe('succeeded');
    expect(progress.phases.map(({ title }) => title)).toEqual(phases);
    for (const phase of progress.phases) expect(phase.evidence, phase.title).toBeTypeOf('object');
  });

  it('has three healthy nodes that all say where sessions are', async () => {
    const rows = await site.query<{ value: Serving | string }>(
      "SELECT value FROM moodle_lifecycle.node_acknowledgement WHERE subject = 'serving'",
    );
    const serving = rows.map(({ value }) => (typeof value === 'string' ? (JSON.parse(value) as Serving) : value));
    const inStore = serving.filter(({ role, sessionStore }) => role === 'web' && sessionStore === context.sessionStore);
    expect(inStore.length).toBeGreaterThanOrEqual(3);
    const seen = new Set<unknown>();
    for (let request = 0; request < 9; request += 1) {
      const { status, headers } = await site.visit('/login/index.php');
      expect(status).toBe(200);
      seen.add(headers['x-moodle-node']);
    }
    expect(seen.size).toBe(3);
  });

  it('is on the dashboard, whose function may read it', async () => {
    const widget = [...functionsOf(site.account.world).values()].find(({ functionName }) =>
      /RolloutWidget/.test(functionName),
    );
    const { Payload, FunctionError } = await new LambdaClient(site.account.clientConfiguration).send(
      new InvokeCommand({ FunctionName: widget?.functionName, Payload: JSON.stringify({ widgetContext: {} }) }),
    );
    const html = JSON.parse(Buffer.from(Payload ?? []).toString());

    expect(FunctionError).toBeUndefined();
    expect([...html.matchAll(/<\/span> ([^<]+)<\/td><td>[^<]+<\/td><td>\d+/g)].map(([, title]) => title)).toEqual(
      phases,
    );
    expect(html).toContain('✔ succeeded');
  });

  it.runIf('cloudFront' in context)('is reached through CloudFront alone, which tells who comes', async () => {
    expect(site.address).toBe('https://moodle.example.org');
    const forged = { 'x-forwarded-for': '198.51.100.66', 'x-origin-secret': 'guessed' };
    expect((await site.visit('/login/index.php', forged)).status).toBe(200);
    const addresses = await site.query<{ lastip: string }>('SELECT DISTINCT lastip FROM mdl_sessions');
    expect(addresses).toEqual([{ lastip: '127.0.0.1' }]);
    const past = await fetch(`http://${site.account.output('LoadBalancerName')}/`, { headers: forged }).catch(
      () => 'no',
    );
    expect(past).toBe('no');
    const names = namesOf(site.account.world);
    const balancer = names.localPort(site.account.output('LoadBalancerName'), 443);
    expect((await site.visit('/login/index.php', forged, balancer)).status).toBe(403);
  });

  it('leaves the site free for the next rollout', async () => {
    expect(await site.query('SELECT 1 FROM moodle_lifecycle.rollout_hold')).toEqual([]);
  });
});
