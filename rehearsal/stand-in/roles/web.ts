import { openDatabase } from '../database.ts';
import { acknowledge, readNodeId } from '../node.ts';
import { openNodeParts } from '../node-parts.ts';
import { prepareSite } from '../prepare-site.ts';
import { say } from '../say.ts';
import { serving } from '../serving.ts';
import type { Settings } from '../settings.ts';
import { waitForUpgrade } from '../update/wait-for-upgrade.ts';
import { startWebServer } from '../web/server.ts';

/** Brings the site up to what the rollout allows, then serves until SIGTERM. */
export async function web(settings: Settings): Promise<void> {
  const node = await readNodeId(settings.metadataUri);
  const database = await openDatabase(settings);
  const installedHere = await prepareSite(database, settings, node);
  await waitForUpgrade(database, settings, node);
  const parts = await openNodeParts(database, settings);
  // An earlier site on the same files may have left its configuration in the cache.
  if (installedHere) await parts.configCache.purge();
  await acknowledge(database, settings, node, 'serving', serving('web', settings, parts));
  const server = await startWebServer({ settings, node, database, ...parts }, settings.listen);
  say(`node ${node} listening on ${server.host}:${server.port}, sessions in ${settings.sessionStore}`);
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  say('SIGTERM: finishing the requests in flight');
  await server.drain();
  parts.close();
  await database.close();
  say('stopped');
}
