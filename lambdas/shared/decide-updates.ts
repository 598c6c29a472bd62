import { OlderThanDatabase, UpdateNotPossible } from './errors.ts';
import { type Manifest, type PinnedPlugin, sameManifest } from './manifest.ts';
import { type OfferedVersion, stable } from './plugin-directory.ts';
import { type Risk, risks, type UpdateRequest } from './plugin-update-input.ts';
import type { LeftOut, PlannedChange } from './update-plan.ts';

/** A version that was chosen and is not pinned to its archive's SHA-256 yet. */
export interface ChosenPlugin {
  readonly component: string;
  readonly version: number;
  readonly release: string;
  readonly url: string;
  readonly checksum: { readonly algorithm: 'md5' | 'sha256'; readonly digest: string };
}

export interface Known {
  /** Of the image that the site runs. */
  readonly current: Manifest;
  /** Of the deployed sources. */
  readonly deployed: Manifest;
  /** Whether the last deploy changed `image/` since the running image was built. */
  readonly imageChanged: boolean;
  /** Newer versions by component, `core` among them. */
  readonly offered: ReadonlyMap<string, readonly OfferedVersion[]>;
  /** Versions that were looked up for the plugins to add, by component. */
  readonly added: ReadonlyMap<string, OfferedVersion>;
  /** Plugin versions that the database was upgraded to. */
  readonly inDatabase: ReadonlyMap<string, number>;
  /** Plugins whose new version cannot come, as this rollout has seen already. Those keep the version that they have. */
  readonly stopped?: readonly LeftOut[];
}

export interface Decision {
  readonly changes: readonly PlannedChange[];
  readonly leftOut: readonly LeftOut[];
  readonly moodle: Manifest['moodle'];
  /** The plugins of the new image, as far as they are pinned already. */
  readonly kept: readonly PinnedPlugin[];
  /** Those that still have to be. */
  readonly chosen: readonly ChosenPlugin[];
}

/**
 * What the new image is made of, and what that changes.
 *
 * @throws UpdateNotPossible when something was asked for by name that cannot be done
 * @throws OlderThanDatabase when a plugin would be older than the database
 */
export function decideUpdates(request: UpdateRequest, known: Known): Decision {
  const changes: PlannedChange[] = [];
  const leftOut: LeftOut[] = [...(known.stopped ?? [])];
  const moodle = decideMoodle(request, known, changes, leftOut);
  const plugins = new Map<string, PinnedPlugin | ChosenPlugin>(
    known.current.plugins.map((plugin) => [plugin.component, plugin]),
  );
  removePlugins(request, known, plugins, changes, leftOut);
  if (request.what.includes('image')) takeDeployed(request, known, plugins, changes);
  if (request.what.includes('plugins')) takeOffered(request, known, plugins, changes, leftOut);
  addPlugins(request, known, plugins, changes, leftOut);
  // Every image is built from what was deployed last. maximumRisk does not weigh that: the deploy was the operator's own
  // decision, and a release that mends would wait behind it unseen.
  if (known.imageChanged && (changes.length > 0 || request.what.includes('image'))) {
    changes.push({ component: 'image', from: 'as built', to: 'as deployed', release: '', risk: 'deployed' });
  }
  refuseOlder([...plugins.values()], known.inDatabase);
  const all = [...plugins.values()];
  return {
    changes,
    leftOut,
    moodle,
    kept: all.filter((plugin): plugin is PinnedPlugin => 'sha256' in plugin),
    chosen: all.filter((plugin): plugin is ChosenPlugin => 'checksum' in plugin),
  };
}

function decideMoodle(
  { what, maximumRisk }: UpdateRequest,
  { current, deployed, offered }: Known,
  changes: PlannedChange[],
  leftOut: LeftOut[],
): Manifest['moodle'] {
  const branch = branchOf(current.moodle.version);
  // Of the same release, that of the deploy comes first: it may name the archive's checksum.
  const candidates: Manifest['moodle'][] = [];
  if (what.includes('image')) candidates.push(...deployedMoodle(branch, current, deployed, leftOut));
  if (what.includes('core')) {
    const releases = (offered.get('core') ?? [])
      .filter(({ maturity }) => maturity === null || maturity >= stable)
      // A weekly build (5.3.1+) has no archive of its own.
      .flatMap(({ release }) => /^(\d+\.\d+(?:\.\d+)?)(?: |$)/.exec(release)?.[1] ?? []);
    candidates.push(
      ...releases.filter((version) => branchOf(version) === branch).map((version) => ({ version, sha256: null })),
    );
  }
  const [newest] = candidates.sort((one, other) => compareReleases(other.version, one.version));
  if (!newest || compareReleases(newest.version, current.moodle.version) <= 0) return current.moodle;
  if (!allowed('core', maximumRisk)) {
    leftOut.push({
      component: 'core',
      why: `Moodle ${newest.version} is of the risk core, and maximumRisk is ${maximumRisk}`,
    });
    return current.moodle;
  }
  changes.push({ component: 'core', from: current.moodle.version, to: newest.version, release: '', risk: 'core' });
  return newest;
}

function deployedMoodle(
  branch: string,
  { moodle: { version: running } }: Manifest,
  { moodle }: Manifest,
  leftOut: LeftOut[],
): Manifest['moodle'][] {
  const { version } = moodle;
  if (branchOf(version) !== branch) {
    throw new UpdateNotPossible(
      `The last deploy names Moodle ${version}, and the site runs ${running}. Updates stay within the branch ${branch}. Nothing ` +
        'was changed. Deploy with a moodleVersion of that branch.',
    );
  }
  if (compareReleases(version, running) >= 0) return [moodle];
  const why = `the last deploy names Moodle ${version}, which is older than the site’s ${running}`;
  leftOut.push({ component: 'core', why });
  return [];
}

type Plugins = Map<string, PinnedPlugin | ChosenPlugin>;

function removePlugins(
  { remove, deleteData }: UpdateRequest,
  { inDatabase }: Known,
  plugins: Plugins,
  changes: PlannedChange[],
  leftOut: LeftOut[],
): void {
  for (const component of remove) {
    const plugin = plugins.get(component);
    if (plugin) {
      plugins.delete(component);
      changes.push({ component, from: plugin.version, to: null, release: '', risk: 'minor' });
    } else if (deleteData.includes(component) && inDatabase.has(component)) {
      throw new UpdateNotPossible(
        `The code of ${component} is not in the site’s image, so Moodle cannot uninstall it and delete its data. Nothing was ` +
          'changed. Add it first, then remove it with deleteData.',
      );
    } else leftOut.push({ component, why: 'to be removed, but not in the image' });
  }
}

/** The deployed sources add plugins and bring newer ones; what they no longer name is only removed by name. */
function takeDeployed({ remove }: UpdateRequest, known: Known, plugins: Plugins, changes: PlannedChange[]): void {
  for (const plugin of known.deployed.plugins) {
    if (remove.includes(plugin.component) || isStopped(known, plugin.component)) continue;
    const from = plugins.get(plugin.component)?.version ?? null;
    if (from !== null && from >= plugin.version) continue;
    plugins.set(plugin.component, plugin);
    changes.push({ component: plugin.component, from, to: plugin.version, release: plugin.release, risk: 'minor' });
  }
}

const isStopped = ({ stopped = [] }: Known, component: string) => stopped.some((one) => one.component === component);

function takeOffered(
  { plugins: asked, maximumRisk, remove }: UpdateRequest,
  known: Known,
  plugins: Plugins,
  changes: PlannedChange[],
  leftOut: LeftOut[],
): void {
  const { offered, current } = known;
  const unknown = asked?.filter((component) => !current.plugins.some((plugin) => plugin.component === component)) ?? [];
  if (unknown.length > 0) {
    throw new UpdateNotPossible(
      `The site’s image has no plugin ${unknown.join(', ')}. It has: ${
        current.plugins.map(({ component }) => component).join(', ') || 'none'
      }. Nothing was changed. A new plugin is brought by add.`,
    );
  }
  for (const { component, version, release } of current.plugins) {
    if ((asked && !asked.includes(component)) || remove.includes(component) || isStopped(known, component)) continue;
    const installed = plugins.get(component)?.version ?? version;
    const newer = (offered.get(component) ?? [])
      .filter((one) => one.version > installed)
      .sort((one, other) => other.version - one.version);
    const fits = newer.filter((one) => allowed(riskOf(release, one.release), maximumRisk));
    const chosen = fits.find((one) => (one.maturity ?? stable) >= stable && one.url && one.md5);
    const [newest] = newer;
    if (newest && newest !== chosen)
      leftOut.push({ component, why: `${newest.version} ${whyNot(newest, release, maximumRisk)}` });
    if (!chosen) continue;
    plugins.set(component, choose(component, chosen));
    const risk = riskOf(release, chosen.release);
    const change = { component, from: version, to: chosen.version, release: chosen.release, risk };
    setChange(changes, asked ? { ...change, asked: true } : change);
  }
}

function whyNot(offer: OfferedVersion, release: string, maximumRisk: Risk): string {
  const risk = riskOf(release, offer.release);
  if (!allowed(risk, maximumRisk)) return `is of the risk ${risk}, and maximumRisk is ${maximumRisk}`;
  return (offer.maturity ?? stable) < stable ? 'is not called stable' : 'has no archive in the directory';
}

/** What is decided later about a component takes the place of what was decided before. */
function setChange(changes: PlannedChange[], change: PlannedChange): void {
  const earlier = changes.findIndex(({ component }) => component === change.component);
  if (earlier >= 0) changes.splice(earlier, 1);
  changes.push(change);
}

function addPlugins(
  { add }: UpdateRequest,
  { added, current }: Known,
  plugins: Plugins,
  changes: PlannedChange[],
  leftOut: LeftOut[],
): void {
  for (const { component, version, url, sha256 } of add) {
    const there = plugins.get(component);
    const found = added.get(component);
    const wanted = version ?? found?.version;
    if (there && (wanted === undefined || there.version >= wanted)) {
      leftOut.push({ component, why: `to be added, but there already (${there.version})` });
      continue;
    }
    const given = url && sha256 && version ? { version, release: '', url, maturity: null, md5: '' } : found;
    if (!given?.url) {
      throw new UpdateNotPossible(
        `Moodle’s plugin directory offers no archive of ${component}${version ? ` ${version}` : ''}. Nothing was changed. Add it ` +
          'with url, version and sha256.',
      );
    }
    plugins.set(
      component,
      sha256 && url
        ? { ...choose(component, given), checksum: { algorithm: 'sha256', digest: sha256 } }
        : choose(component, given),
    );
    const from = current.plugins.find((plugin) => plugin.component === component)?.version ?? null;
    setChange(changes, { component, from, to: given.version, release: given.release, risk: 'minor', asked: true });
  }
}

const choose = (component: string, { version, release, url, md5 }: OfferedVersion): ChosenPlugin => ({
  component,
  version,
  release,
  url,
  checksum: { algorithm: 'md5', digest: md5 },
});

function refuseOlder(plugins: readonly (PinnedPlugin | ChosenPlugin)[], inDatabase: ReadonlyMap<string, number>): void {
  const older = plugins.filter(({ component, version }) => version < (inDatabase.get(component) ?? 0));
  if (older.length === 0) return;
  const words = older.map(
    ({ component, version }) => `${component} ${version}, the database has ${inDatabase.get(component)}`,
  );
  throw new OlderThanDatabase(
    `The image would have older code than the database: ${words.join('; ')}. Moodle cannot run that. Nothing was changed. Name ` +
      'at least the version that the database has.',
  );
}

/** Whether nothing of the image's content would change. */
export function changesNothing({ changes, chosen, kept, moodle }: Decision, current: Manifest): boolean {
  return changes.length === 0 && chosen.length === 0 && sameManifest({ moodle, plugins: kept }, current);
}

const allowed = (risk: Risk, maximum: Risk) => risks.indexOf(risk) <= risks.indexOf(maximum);

/**
 * `patch` where both authors' words begin with numbers that agree but for the last (2.4.1, 2.4.3); else `minor`: Moodle's
 * own numbers are dates and say nothing about what changed.
 */
export function riskOf(from: string, to: string): 'patch' | 'minor' {
  const [one, other] = [from, to].map((release) => /^v?(\d+)\.(\d+)\.\d+/.exec(release.trim()));
  return one && other && one[1] === other[1] && one[2] === other[2] ? 'patch' : 'minor';
}

/** `5.3` of `5.3.1`. */
export const branchOf = (release: string): string => /^\d+\.\d+/.exec(release)?.[0] ?? release;

/** Negative when the first is the older; `5.3` is older than `5.3.1`. */
export function compareReleases(one: string, other: string): number {
  const [a, b] = [one, other].map((release) => release.split('.').map(Number));
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
