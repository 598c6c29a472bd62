import { lookAtCron } from './cron-run.ts';
import { SiteNotVerifiable } from './errors.ts';
import { amendHold, assertHeld, type Rollout } from './hold.ts';
import { type MoodleDatabase, textOrNull } from './moodle-database.ts';
import { nodeId, runningNodes } from './nodes.ts';
import type { SessionClients } from './rollout-session.ts';
import { lookAtSite, type SiteLook } from './site-look.ts';

/**
 * Looks at everything that *Verify the site* will look at, with the code that serves now, and keeps it with the hold. A
 * call that comes again after a kill looks again only if the first one had not ended.
 *
 * @returns undefined where no node serves
 * @throws TaskStillRunning, NodesNotYetHealthy
 * @throws SiteNotVerifiable, HoldLost: nothing was changed
 */
export async function lookBefore(clients: SessionClients, rollout: Rollout): Promise<SiteLook | undefined> {
  const { database, ecs, settings } = clients;
  const { before } = await assertHeld(database, rollout);
  if (before.look) return before.look;
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  if (nodes.length === 0) return undefined;
  await assertNoMaintenancePlanned(database, settings.databasePrefix);
  const found = await lookAtSite(clients, rollout, nodes, 'look before');
  if (found.session.kind === 'not opened') {
    throw new SiteNotVerifiable(
      `No session could be opened on this site, so that no rollout could prove that it works afterwards: ${found.session.problem}. ` +
        'Nothing was changed. Remove the cause and start the rollout again.',
    );
  }
  if (found.session.kind === 'maintenance') {
    throw new SiteNotVerifiable(
      'The site is in maintenance by Moodle’s command line (climaintenance.html among the shared files): no page, no session ' +
        'and no cron run could be proved afterwards. Nothing was changed. End it (admin/cli/maintenance.php --disable in a ' +
        'node), and start the rollout again.',
    );
  }
  const look = { ...found, cron: await lookAtCron(database, settings.databasePrefix, before.cronDesired) };
  await amendHold(database, rollout, { ...before, look });
  return look;
}

/** `admin/cli/maintenance.php --enablelater`: the first visitor from then on begins the same maintenance. */
async function assertNoMaintenancePlanned(database: MoodleDatabase, prefix: string): Promise<void> {
  const [row] = await database.query(`SELECT value FROM ${prefix}config WHERE name = 'maintenance_later'`);
  const from = Number(textOrNull(row, 'value') ?? 0);
  if (from === 0) return;
  throw new SiteNotVerifiable(
    `Maintenance by Moodle’s command line is planned from ${new Date(from * 1000).toISOString()} on: then no page, no session ` +
      'and no cron run could be proved. Nothing was changed. Wait for its end or take the plan back ' +
      '(admin/cli/maintenance.php --disable in a node), and start the rollout again.',
  );
}
