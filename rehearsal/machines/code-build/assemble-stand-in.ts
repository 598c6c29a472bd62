import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readDependencies, readMember } from '../../plugin-directory/plugin-version.ts';
import { unzip } from '../../plugin-directory/zip.ts';

interface PinnedPlugin {
  readonly component: string;
  readonly version: number;
  readonly url: string;
  readonly sha256: string;
}

/** What must not get into an image; the line is that of the image's own `add-plugins` and `check-plugins`. */
class PluginProblem extends Error {
  constructor(component: string, problem: string) {
    super(`plugin problem: ${component}: ${problem}`);
  }
}

/**
 * Makes the code tree of a stand-in: the plugins of a manifest, in `plugins/<component>`, where no PHP is to be had. Of
 * the image's tests it makes those of the archive, of component and version, and of the other added plugins that one
 * needs; nothing is compiled, and what else a plugin requires is not looked at.
 *
 * @param deployedVersion release of Moodle that the stand-in stands for
 * @param log told every problem, and not only the first
 * @throws Error that names plugin and problem, or another release of Moodle; then there is no tree
 */
export async function assembleStandIn(
  manifest: string,
  deployedVersion: string | undefined,
  code: string,
  log: (line: string) => void,
): Promise<void> {
  const { moodle, plugins } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    moodle: { version: string };
    plugins: readonly PinnedPlugin[];
  };
  if (moodle.version !== deployedVersion) {
    throw new Error(
      `The manifest names Moodle ${moodle.version}. The stand-in stands for ${deployedVersion}, which is deployed, and can ` +
        'be no other: an update of Moodle itself is rehearsed with a real one (--moodle).',
    );
  }
  rmSync(code, { recursive: true, force: true });
  const workshop = `${code}.new`;
  rmSync(workshop, { recursive: true, force: true });
  mkdirSync(join(workshop, 'plugins'), { recursive: true });
  const folderOf = ({ component }: PinnedPlugin) => join(workshop, 'plugins', component);
  const added = await tryEach(plugins, log, async (plugin) => {
    await addPlugin(plugin, folderOf(plugin));
    log(`added ${plugin.component} ${plugin.version}`);
  });
  if (added) throw added;
  const checked = await tryEach(plugins, log, async (plugin) => checkDependencies(plugin, folderOf(plugin), plugins));
  if (checked) throw checked;
  renameSync(workshop, code);
}

/** @returns the first problem, once all are told */
async function tryEach(
  plugins: readonly PinnedPlugin[],
  log: (line: string) => void,
  work: (plugin: PinnedPlugin) => Promise<void>,
): Promise<unknown> {
  let first: unknown;
  for (const plugin of plugins) {
    try {
      await work(plugin);
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
      first ??= error;
    }
  }
  return first;
}

/** Moodle itself has no plugin of the type local (lib/plugins.json of 4.4 to 5.1): one that is not added is not there. */
function checkDependencies({ component }: PinnedPlugin, folder: string, plugins: readonly PinnedPlugin[]): void {
  for (const [needed, version] of readDependencies(readFileSync(join(folder, 'version.php'), 'utf8'))) {
    const there = plugins.find((plugin) => plugin.component === needed);
    if (!there && needed.startsWith('local_')) {
      throw new PluginProblem(component, `it needs ${needed}, which is not in the image.`);
    }
    if (there && there.version < version) {
      throw new PluginProblem(component, `it needs ${needed} ${version} or newer; the image has ${there.version}.`);
    }
  }
}

async function addPlugin({ component, version, url, sha256 }: PinnedPlugin, folder: string): Promise<void> {
  const answer = await fetch(url).catch((error: Error) => error);
  if (answer instanceof Error || !answer.ok) {
    const why = answer instanceof Error ? answer.message : `it answers ${answer.status}`;
    throw new PluginProblem(component, `${url} could not be downloaded: ${why}.`);
  }
  const archive = Buffer.from(await answer.arrayBuffer());
  const sum = createHash('sha256').update(archive).digest('hex');
  if (sum !== sha256) {
    throw new PluginProblem(component, `${url} has the SHA-256 ${sum}, not ${sha256}. It was not unpacked.`);
  }
  for (const [path, content] of filesIn(archive, component)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const said = readFileSync(join(folder, 'version.php'), 'utf8');
  const holds = { component: readMember(said, 'component'), version: Number(readMember(said, 'version')) };
  if (holds.component !== component) throw new PluginProblem(component, `its archive holds ${holds.component}.`);
  if (holds.version !== version) {
    throw new PluginProblem(component, `its archive holds version ${holds.version}, not ${version}.`);
  }
}

/** What macOS and Windows put beside files; left out, as the image's own `add-plugins` does. */
const leftBySystems = /^__MACOSX(\/|$)|(^|\/)(\.DS_Store|Thumbs\.db)$/;

/** Files of an archive by their path in the plugin: of its one folder, or of its top where version.php lies there. */
function filesIn(archive: Buffer, component: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let entries: ReturnType<typeof unzip>;
  try {
    entries = unzip(archive);
  } catch (error) {
    throw new PluginProblem(component, `${error instanceof Error ? error.message : error}.`);
  }
  for (const { name, content } of entries) {
    const steps = name.split('/');
    if (name.startsWith('/') || name.includes('\\') || steps.includes('..')) {
      throw new PluginProblem(component, `its archive has the path “${name}”, which leads out of its folder.`);
    }
    const path = steps.filter((step) => step !== '' && step !== '.').join('/');
    if (!name.endsWith('/') && !leftBySystems.test(path)) files.set(path, Buffer.from(content));
  }
  if (files.has('version.php')) return files;
  const tops = new Set([...files.keys()].map((path) => (path.includes('/') ? path.split('/')[0] : '')));
  if (tops.size > 1) throw new PluginProblem(component, 'its archive has more than one folder.');
  const inFolder = new Map([...files].map(([path, content]) => [path.slice(path.indexOf('/') + 1), content] as const));
  if (!inFolder.has('version.php')) throw new PluginProblem(component, 'its archive has no version.php.');
  return inFolder;
}
