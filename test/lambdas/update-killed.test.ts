import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../lambdas/build-image.ts';
import { checkSiteForUpdate } from '../../lambdas/check-site-for-update.ts';
import { cleanUp } from '../../lambdas/clean-up.ts';
import { putBackUpdate } from '../../lambdas/put-back-update.ts';
import { rollNodes } from '../../lambdas/roll-nodes.ts';
import { type Rollout, readHold } from '../../lambdas/shared/hold.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { tagNames } from '../../lambdas/shared/rds/names.ts';
import type { UpdatePlan } from '../../lambdas/shared/update-plan.ts';
import { takeSnapshot } from '../../lambdas/take-snapshot.ts';
import { upgradeSite } from '../../lambdas/upgrade-site.ts';
import { emptyLifecycle, LifecycleServer } from '../support/lifecycle-database.ts';
import { untilDone } from './bench.ts';
import { Executioner } from './executioner.ts';
import { first, second, UpdatingSite, plan as usualPlan } from './updating-site.ts';

let server: LifecycleServer;
let database: MoodleDatabase;
beforeAll(async () => {
  server = await LifecycleServer.start();
  database = await server.database();
});
afterAll(() => server.close());

type Clients = UpdatingSite['clients'];

interface Phase {
  readonly name: string;
  /** What this site is like, and brings it to where the phase begins. */
  prepare(site: UpdatingSite, plan: UpdatePlan): Promise<void>;
  run(clients: Clients, input: Rollout & { readonly plan: UpdatePlan }): Promise<unknown>;
  readonly by?: Rollout;
  readonly plan?: Partial<UpdatePlan>;
}

const checked = async (site: UpdatingSite) => {
  await site.check();
};
const snapshotTaken = async (site: UpdatingSite, plan = usualPlan) => {
  await site.check();
  await untilDone(site, () => takeSnapshot(site.clients, { ...first, plan }));
};
const inMaintenance = async (site: UpdatingSite, plan: UpdatePlan) => {
  site.maintenanceRequired = true;
  await snapshotTaken(site, plan);
};
const upgraded = async (site: UpdatingSite) => {
  await snapshotTaken(site);
  await untilDone(site, () => upgradeSite(site.clients, { ...first, plan: usualPlan }));
};
const failedInMaintenance = async (site: UpdatingSite, plan: UpdatePlan) => {
  Object.assign(site, { changesSchema: true, upgradeFails: 'mod_x failed' });
  await inMaintenance(site, plan);
  await untilDone(site, () => upgradeSite(site.clients, { ...first, plan: usualPlan })).catch(() => undefined);
};
const left = async (site: UpdatingSite, plan: UpdatePlan) => {
  await failedInMaintenance(site, plan);
  site.stopped(first);
  site.executions.set(second.execution, 'RUNNING');
};
const checkedAgain = async (site: UpdatingSite, plan: UpdatePlan) => {
  await left(site, plan);
  await site.check(second);
};
const withOldThings = async (site: UpdatingSite) => {
  await checked(site);
  const old = [
    { Key: tagNames.site, Value: 'campus' },
    { Key: tagNames.keptUntil, Value: '2020-01-01' },
  ];
  for (const identifier of ['old-1', 'old-2'])
    site.rds.operations.CreateDBClusterSnapshot?.({ DBClusterSnapshotIdentifier: identifier, Tags: old } as never);
  site.rds.clusters.set('replaced', {
    DBClusterIdentifier: 'replaced',
    Status: 'available',
    DeletionProtection: true,
    TagList: old,
  });
  await site.settle();
  site.images.add('content-1-00000000000a').add('content-1-00000000000b');
  for (const tag of site.images) site.pushed.set(tag, new Date('2020-01-01'));
};

const failure = { Error: 'UpgradeFailed', Cause: 'no' };
const back = (clients: Clients, { plan, ...rollout }: Rollout & { plan: UpdatePlan }) =>
  putBackUpdate(clients, { ...rollout, rollout: { checked: {}, found: plan, failure }, unfinished: false });
const backBefore = (clients: Clients, { site, execution }: Rollout) =>
  putBackUpdate(clients, {
    site,
    execution,
    rollout: { checked: { unfinished: 'put back', origin: first.execution } },
    unfinished: true,
  });

const check = (clients: Clients, { site, execution }: Rollout) =>
  checkSiteForUpdate(clients, { site, execution, input: {} });

const phases: Phase[] = [
  { name: 'Check the site', prepare: async () => undefined, run: check },
  { name: 'Check the site (takes over)', prepare: left, run: check, by: second },
  { name: 'Put back the unfinished update', prepare: checkedAgain, run: backBefore, by: second },
  { name: 'Build image', prepare: checked, run: buildImage, plan: { image: 'content-1-aaaaaaaaaaaa' } },
  { name: 'Take snapshot', prepare: checked, run: takeSnapshot, plan: { filesChange: true } },
  { name: 'Upgrade', prepare: snapshotTaken, run: upgradeSite },
  { name: 'Upgrade (in maintenance)', prepare: inMaintenance, run: upgradeSite },
  { name: 'Upgrade (deletes data)', prepare: inMaintenance, run: upgradeSite, plan: { deleteData: ['mod_x'] } },
  { name: 'Roll nodes', prepare: upgraded, run: rollNodes },
  { name: 'Clean up', prepare: withOldThings, run: cleanUp },
  { name: 'Put back (rows)', prepare: upgraded, run: back },
  { name: 'Put back (the database)', prepare: failedInMaintenance, run: back },
];

/** Everything that the phases are there to bring about, and nothing of how often they tried. */
async function endOf(site: UpdatingSite) {
  const hold = await readHold(database, 'campus');
  const runs = await database.query(
    `SELECT execution, origin, stage, snapshot, maintenance_required, database_back, finished_at IS NULL AS open
       FROM moodle_lifecycle.update_run ORDER BY execution`,
  );
  const timeless = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then'));
  return {
    hold: hold && { execution: hold.execution, before: hold.before },
    runs,
    settings: await site.settingsOfPlugins(),
    maintenance: site.maintenance,
    parameters: Object.fromEntries(site.parameters),
    web: [site.web.desiredCount, site.web.healthCheckGracePeriodSeconds, site.web.taskDefinition],
    cron: [site.cron.desiredCount, site.cron.taskDefinition],
    scalable: site.scalable,
    nodes: [site.running().length, site.running('cron').length],
    definitions: site.taskDefinitions.length,
    builds: site.builds.map(({ tag }) => tag),
    images: [...site.images],
    recoveryPoints: site.backupJobs.length,
    databases: timeless([...site.rds.clusters].map(([name, { Status, TagList }]) => [name, Status, TagList])),
    snapshots: [...site.rds.snapshots.keys()],
    // One-off work must not be done twice.
    tasks: site.tasks
      .filter((task) => task.group === 'one-off')
      .map((task) => task.overrides?.containerOverrides?.[0]?.command?.join(' '))
      // A look that was not kept is taken again.
      .filter((command, index, all) => !command?.startsWith('inspect') || all.indexOf(command) === index),
  };
}

/** The phase from its beginning to its end, by calls that are made this way. */
async function runBy(
  { prepare, run, by = first, plan: changes }: Phase,
  call: (site: UpdatingSite, work: (clients: Clients) => Promise<unknown>) => Promise<unknown>,
) {
  await emptyLifecycle(database);
  const site = await UpdatingSite.make(database);
  const plan = { ...usualPlan, ...changes };
  await prepare(site, plan);
  await untilDone(site, () => call(site, (clients) => run(clients, { ...by, plan })));
  await site.settle();
  return endOf(site);
}

describe.each(phases)('$name', (phase) => {
  it('ends in the same state when it is killed after each of its effects, and called again', async () => {
    const expected = await runBy(phase, (site, work) => work(site.clients));
    const executioner = new Executioner();
    const end = await runBy(phase, (site, work) => executioner.torment(site, work));
    expect(executioner.strikes).toBeGreaterThan(0);
    expect(end).toEqual(expected);
  });
});
