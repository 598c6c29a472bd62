/**
 * Records the histories in `histories/` anew, from rehearsals with the stand-in: `node test/console/record-histories.ts`,
 * about ten minutes; with names of histories as arguments, only those. What the model does not read is left out.
 *
 * Those of plugin updates are saved from a rehearsal, `npx lifecycle rehearse plugin-update --plugins FOLDER --input
 * '{"add": [{"component": "…"}], "approval": true}' --keep` and `npx lifecycle history --save FILE`, before and after
 * `refuse`, and come here by `node test/console/record-histories.ts --from FILE NAME`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { RedriveExecutionCommand, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { type Recording, RecordingReader } from '../../console/api/recording.ts';
import { formatHistory, parseHistory } from '../../console/model/history-file.ts';
import type { Progress } from '../../console/progress.ts';
import { deny, phaseFaults, spoil } from '../rollout/faults.ts';
import { Site } from '../rollout/site.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';

const folder = join(import.meta.dirname, 'histories');
const wanted = process.argv.slice(2);
process.env.STAND_IN_INSTALL_SECONDS = '2';
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

if (wanted[0] === '--from') {
  const [, file = '', name = ''] = wanted;
  write(name, parseHistory(readFileSync(file, 'utf8')));
  process.exit();
}

try {
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
