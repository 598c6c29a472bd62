import { lookAtCron } from './cron-run.ts';
import { SiteNotVerifiable } from './errors.ts';
import { amendHold, assertHeld, type Rollout } from './hold.ts';
import { nodeId, runningNodes } from './nodes.ts';
import { type LookClients, lookAtSite, type SiteLook } from './site-look.ts';

/**
 * Looks at everything that *Verify the site* will look at, with the code that serves now, and keeps it with the hold. A
 * call that comes again after a kill looks again only if the first one had not ended.
 *
 * @returns undefined where no node serves
 * @throws TaskStillRunning, NodesNotYetHealthy
 * @throws SiteNotVerifiable, HoldLost: nothing was changed
 */
export async function lookBefore(clients: LookClients, rollout: Rollout): Promise<SiteLook | undefined> {
  const { database, ecs, settings } = clients;
  const { before } = await assertHeld(database, rollout);
  if (before.look) return before.look;
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  if (nodes.length === 0) return undefined;
  const found = await lookAtSite(clients, rollout, nodes, 'look before');
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
