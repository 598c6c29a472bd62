import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleStandIn } from '../../rehearsal/machines/code-build/assemble-stand-in.ts';
import { type PluginRelease, releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import type { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { pluginFiles } from './make-plugin.ts';

export const HALFWAY = 'local_halfway';
/** Release that the stand-in of these tests stands for. */
export const MOODLE = '5.3';

/**
 * A plugin whose second version makes a table and then declares a field that no database can add where there are rows:
 * it must have a value, and has no default. PostgreSQL refuses it when the table is made already. The third is mended.
 */
export function halfway(version: 1 | 2 | 3): PluginRelease {
  const tables =
    version === 1 ? { [HALFWAY]: ['amount'] } : { [`${HALFWAY}_more`]: ['n'], [HALFWAY]: ['amount', 'needed'] };
  const files = pluginFiles({ component: HALFWAY, version: 2026010100 + version, tables });
  if (version !== 2) return releaseOf(files);
  const declared = files['db/install.xml'] ?? '';
  return releaseOf({ ...files, 'db/install.xml': declared.replace(/(NAME="needed".*?) DEFAULT="0"/, '$1') });
}

/** Writes a manifest of what a directory offers, and returns its file. */
export function manifestOf(
  folder: string,
  directory: PluginDirectory,
  releases: readonly PluginRelease[],
  changes: object = {},
): string {
  const plugins = releases.map((release) => ({
    component: release.component,
    version: release.version,
    url: directory.downloadUrl(release),
    sha256: createHash('sha256').update(release.archive).digest('hex'),
    ...changes,
  }));
  const file = join(folder, `manifest-${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify({ moodle: { version: MOODLE }, plugins }));
  return file;
}

/** Environment of nodes whose image has the plugins of a manifest. */
export async function codeWith(folder: string, manifest: string): Promise<{ MOODLE_DIRROOT: string }> {
  const code = join(folder, `code-${randomUUID()}`);
  await assembleStandIn(manifest, MOODLE, code, () => {});
  return { MOODLE_DIRROOT: code };
}
