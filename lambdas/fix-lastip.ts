import { ECSClient } from '@aws-sdk/client-ecs';
import { AdministratorStillPending, UnexpectedError, WizardRefused } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout, write } from './shared/hold.ts';
import { type MoodleDatabase, textOrNull } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import type { PhaseInput } from './shared/plan.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { firstSiteAdmin, readSiteState } from './shared/site-state.ts';
import { runTask, taskAge } from './shared/tasks.ts';

export interface FixLastipClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly settings: Settings;
}

export interface FixedLastip {
  readonly lastip: string;
  readonly why?: string;
  readonly wizard?: string;
}

/** How long the operator has to complete the wizard. The attempts of the state cover it. */
export const wizardMinutes = 60;

const checkPurpose = 'check wizard';

/**
 * Lets the operator complete Moodle's wizard from `plan.adminIp`: Moodle compares the pending administrator's `lastip`
 * with the client's address, string by string. No other row is ever written.
 *
 * @throws TaskStillRunning, AdministratorStillPending until the wizard is completed
 * @throws WizardRefused, HoldLost
 */
export async function fixLastip(
  clients: FixLastipClients,
  { site, execution, plan }: PhaseInput,
): Promise<FixedLastip> {
  const { database, settings } = clients;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  if (!plan.install) return { lastip: 'not needed', why: 'the site was installed already' };
  if (plan.finish === 'unattended') {
    return { lastip: 'not needed', why: 'an unattended install sets the administrator up, so Moodle never asks' };
  }
  const adminIp = plan.adminIp ?? '';
  const state = await readSiteState(database, site, settings.databasePrefix);
  if (state.name === 'pending-administrator') {
    await setLastip(database, rollout, settings.databasePrefix, adminIp);
    await proveWizard(clients, rollout, adminIp);
    throw await stillPending(clients, rollout, adminIp);
  }
  if (state.name !== 'installed') throw await stillPending(clients, rollout, adminIp);

  if ((await taskAge(database, rollout, checkPurpose)) === undefined) {
    return { lastip: 'not needed', why: 'the administrator was set up already' };
  }
  // Moodle keeps the pending flag in its cache: without a purge its pages lead to the wizard for ever.
  const purged = await runTask(clients, rollout, 'purge caches after the wizard', ['purge-caches']);
  if (!purged.ok) {
    throw new UnexpectedError(
      `The wizard was completed, but Moodle’s caches could not be purged: ${purged.problem}. Start the rollout again.`,
    );
  }
  return { lastip: adminIp, wizard: 'completed in the browser' };
}

async function setLastip(database: MoodleDatabase, rollout: Rollout, prefix: string, adminIp: string): Promise<void> {
  const [row] = await database.query(`SELECT value FROM ${prefix}config WHERE name = 'siteadmins'`);
  const admin = firstSiteAdmin(textOrNull(row, 'value') ?? undefined);
  if (admin === undefined) throw new WizardRefused('Moodle’s siteadmins names nobody, so no wizard can be completed.');
  await write(
    database,
    rollout,
    `UPDATE ${prefix}user SET lastip = :adminIp
      WHERE id = :admin AND password = 'adminsetuppending' AND lastip <> :adminIp
        AND EXISTS (SELECT 1 FROM ${prefix}config WHERE name = 'adminsetuppending' AND value = '1') AND {held}`,
    { admin, adminIp },
    { orNone: true },
  );
}

async function proveWizard(clients: FixLastipClients, rollout: Rollout, adminIp: string): Promise<void> {
  const report = await runTask(clients, rollout, checkPurpose, ['check-wizard', adminIp]);
  if (report.ok) return;
  throw new WizardRefused(
    `Moodle’s wizard does not go on for ${adminIp} alone: ${report.problem ?? 'no reason given'} (allowed ` +
      `${report.allowedStatus ?? '?'}, another address ${report.refusedStatus ?? '?'}). The node simulates ` +
      'that address, so the cause is how the image reads X-Forwarded-For (MOODLE_REVERSEPROXYIGNORE), not your browser. ' +
      'Mend that and start the rollout again.',
  );
}

async function stillPending(
  { database, settings }: FixLastipClients,
  rollout: Rollout,
  adminIp: string,
): Promise<AdministratorStillPending> {
  const waited = ((await taskAge(database, rollout, checkPurpose)) ?? 0) / 60;
  const left = Math.max(0, Math.ceil(wizardMinutes - waited));
  return new AdministratorStillPending(
    `Complete Moodle’s wizard at ${settings.siteUrl}/admin/index.php from ${adminIp}; this rollout gives up in about ` +
      `${left} minutes.`,
  );
}

export const handler = makeHandler(
  'Fix lastip',
  (): FixLastipClients => {
    const settings = settingsFrom();
    return { settings, database: openDatabase(settings), ecs: new ECSClient({}) };
  },
  fixLastip,
);
