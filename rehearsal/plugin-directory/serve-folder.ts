import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coreReleaseOf } from './core-release.ts';
import { type PluginRelease, readReleases } from './release.ts';
import { PluginDirectory } from './server.ts';

/**
 * Serves a folder of plugins, and releases of Moodle, in the place of Moodle's plugin directory. It has the same address
 * at each rehearsal of a site, as long as nobody else takes it: the site's images name it.
 *
 * @param folder undefined: no plugin is offered
 * @param data folder of the rehearsal
 * @param moodles folders of Moodle's code
 * @throws Error when the folder is not there, or has no plugin in it; NotMoodle
 */
export async function servePlugins(
  folder: string | undefined,
  data: string,
  moodles: readonly string[] = [],
): Promise<PluginDirectory> {
  const releases = folder === undefined ? [] : pluginsIn(folder);
  const core = moodles.map(coreReleaseOf);
  const memory = join(data, 'plugin-directory-port');
  const directory = await PluginDirectory.start(releases, core, remembered(memory)).catch(() =>
    PluginDirectory.start(releases, core),
  );
  writeFileSync(memory, new URL(directory.url).port);
  return directory;
}

function pluginsIn(folder: string): PluginRelease[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`There is no folder ${folder}.`);
  const releases = readReleases(folder);
  if (releases.length === 0) {
    throw new Error(`No folder in ${folder} has a version.php: there is no plugin to update to. Nothing was started.`);
  }
  return releases;
}

function remembered(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
