import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { inheritedBefore } from './shared/before-rollout.ts';
import { keptStates } from './shared/compare-looks.ts';
import { measureDatabase, serverInWords } from './shared/database-server.ts';
import { SiteNotInstalled, UpdateUnfinished } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertNotHeld, type Rollout, takeHold } from './shared/hold.ts';
import { createLifecycleSchema } from './shared/lifecycle-schema.ts';
import { lookBefore } from './shared/look-before.ts';
import { openDatabase } from './shared/open-database.ts';
import { refuseBeside } from './shared/other-moodles.ts';
import { noImage } from './shared/parameters.ts';
import { readPluginUpdateInput, type UpdateRequest } from './shared/plugin-update-input.ts';
import { endLeftExchange } from './shared/rds/left-exchange.ts';
import { type BeforeClients, correctBefore, readBefore } from './shared/read-before.ts';
import { readLogin } from './shared/secrets.ts';
import { settingsFrom } from './shared/settings.ts';
import { readSiteState } from './shared/site-state.ts';
import { adoptRun, hasTouchedSite, isUpgraded, readOpenRun, type UpdateRun } from './shared/update-run.ts';

export interface CheckSiteForUpdateClients extends BeforeClients {
  readonly rds: RDSClient;
  readonly secrets: SecretsManagerClient;
  readonly executions: SFNClient;
}

export interface SiteCheckedForUpdate {
  readonly site: string;
  readonly database: string;
  readonly image: string;
  readonly hold: string;
  /** The input with its defaults. */
  readonly request: UpdateRequest;
  /** What is done with an update that another execution left: nothing to do, put it back, or finish it. */
  readonly unfinished: 'none' | 'put back' | 'finish';
  /** The execution that began the update which this one works on: this one, unless it took an unfinished one over. */
  readonly origin: string;
  /** States of the site's own, which the update leaves as they are and is not held to. */
  readonly keeps: readonly string[];
}

/**
 * Decides whether this rollout may touch the site, takes it, and takes over what an execution that is over has left.
 *
 * @param input the execution's input, as it was given
 * @throws DatabaseStillBeingRestored while an exchange of databases is ended that was left half done
 * @throws TaskStillRunning, NodesNotYetHealthy while it looks at the site
 * @throws InputInvalid, SiteNotInstalled, TablePrefixDiffers, UpdateUnfinished, SiteHeld, SiteNotVerifiable: nothing was changed
 */
export async function checkSiteForUpdate(
  clients: CheckSiteForUpdateClients,
  { site, execution, input }: Rollout & { readonly input: unknown },
): Promise<SiteCheckedForUpdate> {
  const { database, rds, secrets, executions, settings } = clients;
  const rollout = { site, execution };
  const request = readPluginUpdateInput(input);
  await endLeftExchange(rds, settings, () => readLogin(secrets, settings.databaseSecretArn));
  const server = await measureDatabase(database);
  await createLifecycleSchema(database);

  const left = await readOpenRun(database, site);
  const state = await readSiteState(database, site, settings.databasePrefix);
  // An update that stopped in the middle of Moodle's upgrade leaves a database that is nothing else.
  if (state.name !== 'installed' && !(left && hasTouchedSite(left))) {
    if (state.others.length > 0) refuseBeside(state.others, settings.databasePrefix);
    throw new SiteNotInstalled(
      `There is no finished Moodle to update: the database says ${state.name} (${state.why}). Nothing was changed. Install the ` +
        'site first, or end what is under way, and start again.',
    );
  }
  if (request.dryRun && left && hasTouchedSite(left)) {
    await assertNotHeld(database, executions, rollout);
    throw new UpdateUnfinished(
      `An update stopped in the middle (${left.stage}; ${left.execution}), and a dry run puts nothing back. Nothing was changed. ` +
        'Start again without dryRun.',
    );
  }
  const before = await readBefore(clients, site, true);
  if (before.parameters['image-tag'] === noImage && !(left && hasTouchedSite(left))) {
    throw new SiteNotInstalled(
      'Moodle’s tables are finished, but no node serves them: the install was put back. Nothing was changed. Finish the ' +
        'install first, and start again.',
    );
  }
  const { takenOverFrom, isNew } = await takeHold(database, executions, rollout, request.reason, before, (earlier) =>
    inheritedBefore(earlier, before),
  );
  if (isNew) await correctBefore(clients, rollout, before, true);
  // Read again: the execution that left it may have ended it before it lost its hold.
  const run = await readOpenRun(database, site);
  if (run && run.execution !== execution) await adoptRun(database, rollout, run.execution);
  // An update that touched the site has looked before it did, and a dry run changes nothing, also no user for a minute.
  const look = request.dryRun || (run && hasTouchedSite(run)) ? undefined : await lookBefore(clients, rollout);
  return {
    site: `${state.name}: ${state.why}`,
    database: serverInWords(database, server),
    image: before.parameters['image-tag'],
    hold: takenOverFrom ? `taken over from ${takenOverFrom}, which is no longer running` : 'taken',
    request,
    unfinished: unfinishedOf(run),
    origin: run?.origin ?? execution,
    keeps: look ? keptStates(look) : [],
  };
}

/** Forward where the upgrade is done, as going back would lose what users have written since. */
function unfinishedOf(run: UpdateRun | undefined): SiteCheckedForUpdate['unfinished'] {
  if (!run) return 'none';
  return isUpgraded(run) ? 'finish' : 'put back';
}

export const handler = makeHandler(
  'Check the site',
  (): CheckSiteForUpdateClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
      rds: new RDSClient({}),
      secrets: new SecretsManagerClient({}),
      executions: new SFNClient({}),
    };
  },
  checkSiteForUpdate,
);
