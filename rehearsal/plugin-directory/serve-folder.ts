import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readReleases } from './release.ts';
import { PluginDirectory } from './server.ts';

/**
 * Serves a folder of plugins in the place of Moodle's plugin directory. It has the same address at each rehearsal of a
 * site, as long as nobody else takes it: the site's images name it.
 *
 * @param data folder of the rehearsal
 * @throws Error when the folder is not there, or has no plugin in it
 */
export async function servePlugins(folder: string, data: string): Promise<PluginDirectory> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`There is no folder ${folder}.`);
  const releases = readReleases(folder);
  if (releases.length === 0) {
    throw new Error(`No folder in ${folder} has a version.php: there is no plugin to update to. Nothing was started.`);
  }
  const memory = join(data, 'plugin-directory-port');
  const directory = await PluginDirectory.start(releases, [], remembered(memory)).catch(() =>
    PluginDirectory.start(releases),
  );
  writeFileSync(memory, new URL(directory.url).port);
  return directory;
}

function remembered(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
