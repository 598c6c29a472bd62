/**
 * Records the histories in `histories/` anew, from rehearsals with the stand-in: `node test/console/record-histories.ts`,
 * about twenty minutes; with names of histories as arguments, only those. What the model does not read is left out.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { RedriveExecutionCommand, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { type Recording, RecordingReader } from '../../console/api/recording.ts';
import { formatHistory } from '../../console/model/history-file.ts';
import type { Progress } from '../../console/progress.ts';
import { releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { HALFWAY, halfway } from '../plugins/for-stand-in.ts';
import { codeOnly } from '../plugins/harmless.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';
import { deny, phaseFaults, spoil, updateFaults } from '../rollout/faults.ts';
import { obey } from '../rollout/operator.ts';
import { Site } from '../rollout/site.ts';
import { hurry, openUpdatedSite, type UpdatedSite } from '../rollout/stand-in-updates.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';

const folder = join(import.meta.dirname, 'histories');
const wanted = process.argv.slice(2);
process.env.STAND_IN_INSTALL_SECONDS = '2';
process.env.STAND_IN_UPGRADE_SECONDS = '1';
process.env.STAND_IN_CRON_SECONDS = '1';
const run = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-record-'));
process.env[RUN_FOLDER] = run;

const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
const nameOf = (phase: string) => `failed-${phase.toLowerCase().replaceAll(' ', '-')}`;

function write(name: string, { definition, execution, events }: Recording): void {
  mkdirSync(folder, { recursive: true });
  const text = formatHistory({ definition, execution, events: events.map(slim) });
  writeFileSync(join(folder, `${name}.json.gz`), gzipSync(text, { level: 9 }));
  console.log(`${name}: ${execution.status}, ${events.length} events`);
}

async function record(site: Site, name: string, executionArn: string): Promise<void> {
  if (!isWanted(name)) return;
  write(name, await new RecordingReader(site.rehearsal.stepFunctions, executionArn).read());
}

/** Without the inputs and outputs of states, which repeat what the tasks gave. */
function slim(event: HistoryEvent): HistoryEvent {
  const { stateEnteredEventDetails: entered, stateExitedEventDetails: exited, ...rest } = event;
  const { lambdaFunctionScheduledEventDetails: scheduled, executionSucceededEventDetails: _, ...others } = rest;
  return {
    ...others,
    ...(entered && { stateEnteredEventDetails: { name: entered.name } }),
    ...(exited && { stateExitedEventDetails: { name: exited.name } }),
    ...(scheduled && { lambdaFunctionScheduledEventDetails: { resource: scheduled.resource } }),
  } as HistoryEvent;
}

async function install(site: Site, name: string, input: object, look?: (progress: Progress, arn: string) => void) {
  const arn = await site.startInstall(input);
  await site.follow(arn, (progress) => look?.(progress, arn));
  await record(site, name, arn);
}

async function withSite(names: readonly string[], work: (site: Site) => Promise<void>): Promise<void> {
  if (!names.some(isWanted)) return;
  const site = await Site.open();
  try {
    await work(site);
  } finally {
    await site.close();
  }
}

/** An update, with what a person answers when it asks and what else is done while it runs. */
async function update(
  site: Site,
  name: string,
  input: object,
  { answer, look }: { answer?: 'approve' | 'refuse'; look?: (progress: Progress, arn: string) => void } = {},
): Promise<void> {
  const arn = await site.startUpdate(input);
  let answered = false;
  await site.follow(arn, (progress) => {
    look?.(progress, arn);
    if (progress.outcome !== 'asking' || answered || !answer) return;
    answered = true;
    const words = ['--yes', '--as', 'ada', ...(answer === 'refuse' ? ['--reason', 'exams this week'] : [])];
    const asked = answer === 'refuse' ? record(site, 'update-asking', arn) : Promise.resolve();
    void asked.then(() => obey(site, `npx lifecycle ${answer} ${arn}`, ...words));
  });
  await record(site, name, arn);
}

const updateNames = [
  ...updateFaults.map(({ phase }) => `update-${nameOf(phase)}`),
  ...['update-nothing', 'update-input-refused', 'update-site-held', 'update-archive-wrong', 'update-build-failed'],
  ...['update-expired', 'update-refused', 'update-asking', 'update-half-applied', 'update-stopped'],
  ...['update-after-unfinished', 'update-not-put-back', 'update-left-out'],
];

/** In an order in which each finds what it is to fail at: an image that was built is not built again. */
async function recordUpdates({ site, directory }: UpdatedSite): Promise<void> {
  await update(site, 'update-nothing', {});
  await update(site, 'update-input-refused', { what: ['everything'] });
  await site.update({ add: [{ component: HALFWAY }, { component: 'local_codeonly' }] });
  await site.query(`INSERT INTO mdl_${HALFWAY} (amount) VALUES (7)`);

  directory.offer({ ...codeOnly(2), md5: '0'.repeat(32) });
  await update(site, 'update-archive-wrong', { plugins: ['local_codeonly'] });
  const other = pluginFiles({ component: 'local_codeonly', version: 2026010109 });
  directory.offer(releaseOf(other, { version: 2026010102 }));
  await update(site, 'update-build-failed', { plugins: ['local_codeonly'] });
  directory.offer(codeOnly(2));
  for (const { phase, function: name, action } of updateFaults) {
    const mend = deny(site, name, action);
    await update(site, `update-${nameOf(phase)}`, { approval: true }, { answer: 'approve' });
    mend();
  }
  await update(site, 'update-refused', { approval: true }, { answer: 'refuse' });
  const begun = await site.startUpdate({ approval: true });
  const slower = hurry(site, 2_000);
  await site.follow(begun);
  slower();
  await record(site, 'update-expired', begun);

  const says = ["$plugin->dependencies = ['local_sharedparts' => ANY_VERSION];"];
  directory.offer(releaseOf(pluginFiles({ component: 'local_codeonly', version: 2026010103, says })));
  await update(site, 'update-left-out', {});
  directory.withdraw('local_codeonly', 2026010103);

  directory.offer(halfway(2));
  await update(site, 'update-half-applied', { plugins: [HALFWAY] });
  directory.withdraw(HALFWAY, 2026010102);
  let stopping = false;
  await update(
    site,
    'update-stopped',
    {},
    {
      look: ({ phases }, executionArn) => {
        const upgrade = phases.find(({ title }) => title === 'Upgrade');
        if (stopping || !upgrade?.problem?.cause.includes('new nodes are started')) return;
        stopping = true;
        const stop = { executionArn, error: 'StoppedByHand', cause: 'Stopped by ada@desk: wrong plugin.' };
        void site.rehearsal.stepFunctions.send(new StopExecutionCommand(stop));
      },
    },
  );
  const mendCleaning = deny(site, 'CleanUp', 'rds:DescribeDBClusterSnapshots');
  await update(site, 'update-after-unfinished', {});
  mendCleaning();

  const hold = async (action: string) => {
    const { executionArn = '' } = await site.rehearsal.stepFunctions.send(
      new StartExecutionCommand({
        stateMachineArn: site.account.output('HoldStateMachineArn'),
        input: JSON.stringify({ action, operator: 'ada', reason: 'exam week' }),
      }),
    );
    await site.follow(executionArn);
  };
  await hold('hold');
  await update(site, 'update-site-held', {});
  await hold('release');
  const mends = [deny(site, 'FindUpdates', 'ssm:GetParameters'), deny(site, 'PutBackUpdate', 'rds-data:*')];
  await update(site, 'update-not-put-back', {});
  for (const mend of mends) mend();
}

try {
  if (updateNames.some(isWanted)) {
    const updated = await openUpdatedSite([codeOnly(1), halfway(1)]);
    try {
      await recordUpdates(updated);
    } finally {
      await updated.close();
    }
  }
  await withSite(
    phaseFaults.map(({ phase }) => nameOf(phase)),
    async (site) => {
      for (const { phase, function: name, action } of phaseFaults.filter((fault) => isWanted(nameOf(fault.phase)))) {
        const mend = deny(site, name, action);
        await install(site, nameOf(phase), { nodes: 2, reason: `fault in ${phase}` });
        mend();
      }
    },
  );
  await withSite(
    ['application-store-unreachable', 'session-store-unreachable', 'not-all-put-back', 'not-put-back'],
    async (site) => {
      for (const [name, secret] of [
        ['application-store-unreachable', 'StoresApplication'],
        ['session-store-unreachable', 'StoresSession'],
      ] as const) {
        const mend = spoil(site, secret);
        await install(site, name, { nodes: 2 });
        mend();
      }
      for (const [name, action] of [
        ['not-all-put-back', 'application-autoscaling:RegisterScalableTarget'],
        ['not-put-back', 'rds-data:ExecuteStatement'],
      ] as const) {
        const mendPhase = deny(site, 'ScaleOut', 'ecs:UpdateService');
        const mendBack = deny(site, 'PutBack', action);
        await install(site, name, { nodes: 2 });
        mendPhase();
        mendBack();
      }
    },
  );
  await withSite(
    ['fresh-install', 'converged', 'input-refused', 'held', 'released', 'site-held', 'stopped', 'resumed'],
    async (site) => {
      await install(site, 'fresh-install', { nodes: 3, reason: 'first install' });
      await install(site, 'converged', { nodes: 3 });
      await install(site, 'input-refused', { nodes: 10_000 });
      const change = async (name: string, input: object) => {
        const { executionArn = '' } = await site.rehearsal.stepFunctions.send(
          new StartExecutionCommand({
            stateMachineArn: site.account.output('HoldStateMachineArn'),
            input: JSON.stringify(input),
          }),
        );
        await site.follow(executionArn);
        await record(site, name, executionArn);
      };
      await change('held', { action: 'hold', operator: 'ada', reason: 'exam week' });
      await install(site, 'site-held', { nodes: 3 });
      await change('released', { action: 'release', operator: 'ada' });
      const client = site.rehearsal.stepFunctions;
      const stopScaling = (progress: Progress, executionArn: string) => {
        const phase = progress.phases.find(({ title }) => title === 'Scale out');
        if (phase?.status !== 'waiting' && phase?.status !== 'running') return;
        const stop = { executionArn, error: 'StoppedByHand', cause: 'Stopped by ada@desk: wrong number.' };
        void client.send(new StopExecutionCommand(stop));
      };
      await install(site, 'stopped', { nodes: 5 }, stopScaling);
      const executionArn = await site.startInstall({ nodes: 7 });
      await site.follow(executionArn, (progress) => stopScaling(progress, executionArn));
      await client.send(new RedriveExecutionCommand({ executionArn }));
      await site.follow(executionArn);
      await record(site, 'resumed', executionArn);
    },
  );
  await withSite(['unfinished-install', 'database-login-refused'], async (site) => {
    await site.query('CREATE TABLE mdl_config (id int, name text, value text)');
    await site.query("INSERT INTO mdl_config VALUES (1, 'version', '2023112400')");
    await install(site, 'unfinished-install', {});
    await site.query('DROP TABLE mdl_config');
    const mend = spoil(site, '"engine":"postgres"', (text) =>
      JSON.stringify({ ...JSON.parse(text), password: 'wrong' }),
    );
    await install(site, 'database-login-refused', {});
    mend();
  });
} finally {
  rmSync(run, { recursive: true, force: true });
}
