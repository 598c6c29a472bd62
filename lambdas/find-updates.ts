import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { branchOf, type ChosenPlugin, changesNothing, type Decision, decideUpdates } from './shared/decide-updates.ts';
import { deployedPlugins } from './shared/deployed-plugins.ts';
import { PluginArchiveWrong, PluginDirectoryNotAnswering, UpdateNotPossible } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout } from './shared/hold.ts';
import {
  deployedManifest,
  isOfUpdate,
  type Manifest,
  type PinnedPlugin,
  readManifest,
  tagOf,
} from './shared/manifest.ts';
import { type MoodleDatabase, text, textOrNull } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters } from './shared/parameters.ts';
import { checksumOfArchive, type OfferedVersion, PluginDirectory } from './shared/plugin-directory.ts';
import type { UpdateRequest } from './shared/plugin-update-input.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { changeInWords, type LeftOut, leaveOut, type UpdatePlan } from './shared/update-plan.ts';
import { readOpenRun } from './shared/update-run.ts';

export interface FindUpdatesClients {
  readonly database: MoodleDatabase;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  readonly directory: PluginDirectory;
  readonly deployedPlugins: readonly PinnedPlugin[];
  readonly settings: Settings;
}

export interface FindUpdatesInput extends Rollout {
  readonly request: UpdateRequest;
  readonly unfinished: string;
  /** What a build of this rollout has stopped. */
  readonly leftOut?: readonly LeftOut[];
  /** How often the state machine has tried this phase again. */
  readonly retries?: number;
}

/**
 * Decides what this rollout does, and changes nothing. Archives are read once, to pin what is chosen to its SHA-256. A
 * version whose archive cannot be had is left out with its reason, and the others come; but for one that the input names.
 *
 * @throws PluginDirectoryNotAnswering while the directory or an archive cannot be read
 * @throws UpdateNotPossible, OlderThanDatabase, PluginArchiveWrong, HoldLost
 */
export async function findUpdates(
  clients: FindUpdatesClients,
  { site, execution, request, unfinished, leftOut = [], retries = 0 }: FindUpdatesInput,
): Promise<UpdatePlan> {
  const { database, ssm, settings } = clients;
  await assertHeld(database, { site, execution });
  if (unfinished === 'finish') return planToFinish(clients, site);

  const deployed = deployedManifest(settings, clients.deployedPlugins);
  const { 'image-tag': fromImage } = await readParameters(ssm, settings);
  const current = await manifestOf(clients, fromImage);
  const moodle = await readMoodle(database, settings);
  const known = {
    current,
    deployed,
    imageChanged: fromImage !== settings.imageTag && !fromImage.startsWith(`${settings.imageTag}-`),
    offered: await offeredUpdates(clients.directory, request, current, moodle),
    added: await lookUpAdded(clients.directory, request, branchOf(moodle.release)),
    inDatabase: moodle.plugins,
    stopped: leftOut,
  };
  const wanted = decideUpdates(request, known);
  // Without reading the archives there is no manifest of the new image, and no tag.
  const archives = request.dryRun ? nothingRead : await pinAll(wanted, retries);
  const stopped = [...leftOut, ...archives.stopped];
  const decision = archives.stopped.length > 0 ? decideUpdates(request, { ...known, stopped }) : wanted;
  const nothing = changesNothing(decision, current);
  const builds = !nothing && !request.dryRun;
  const pinned = decision.chosen.flatMap(({ component }) => archives.pinned.get(component) ?? []);
  const manifest = builds ? { moodle: decision.moodle, plugins: [...decision.kept, ...pinned] } : current;
  return {
    outcome: nothing ? 'nothing' : request.dryRun ? 'plan' : 'update',
    summary: inOneLine(decision, request),
    headline: `${nothing ? 'nothing updated' : 'updated'}${stopped.length > 0 ? `, ${plugins(stopped.length)} left out` : ''}`,
    stopped: stopped.length > 0,
    changes: decision.changes,
    leftOut: decision.leftOut,
    fromImage,
    image: builds ? tagOf(manifest, settings, deployed) : fromImage,
    manifest,
    deleteData: request.deleteData.filter((component) => moodle.plugins.has(component)),
    filesChange:
      request.deleteData.length > 0 ||
      decision.changes.some(({ component, risk }) => component === 'core' || risk === 'core'),
    approval: request.approval,
    approvalSeconds: request.approvalHours * 3600,
    maintenanceWindow: request.maintenanceWindow,
    snapshotRetentionDays: request.snapshotRetentionDays,
  };
}

/** The plan of the update that another execution left upgraded. What is left of it needs no approval. */
async function planToFinish(clients: FindUpdatesClients, site: string): Promise<UpdatePlan> {
  const run = await readOpenRun(clients.database, site);
  if (!run) throw new TypeError('The update that was to be finished is no longer there.');
  const { s3, settings } = clients;
  // Its image is built: nothing follows from it any more.
  const manifest = (await readManifest(s3, settings, run.plan.image)) ?? withoutPlugins(run.plan.image);
  // One that an earlier deploy of this project began has no headline.
  const { summary, headline = 'updated', stopped = false }: Partial<UpdatePlan> = run.plan;
  return {
    ...run.plan,
    manifest,
    outcome: 'finish',
    summary: `finished: ${summary}`,
    headline,
    stopped,
    approval: false,
  };
}

const withoutPlugins = (tag: string): Manifest => ({
  moodle: { version: tag.split('-')[0] ?? '', sha256: null },
  plugins: [],
});

/**
 * What an image is made of. One from before manifests were kept has no plugins, and a tag that begins with its Moodle release.
 *
 * @throws UpdateNotPossible where a manifest was kept and is gone: without it an update would lose the site's plugins
 */
async function manifestOf(
  { s3, settings, deployedPlugins: plugins }: FindUpdatesClients,
  tag: string,
): Promise<Manifest> {
  const kept = await readManifest(s3, settings, tag);
  if (kept) return kept;
  if (tag === settings.imageTag) return deployedManifest(settings, plugins);
  if (!isOfUpdate(tag)) return withoutPlugins(tag);
  throw new UpdateNotPossible(
    `What the site’s image ${tag} is made of is no longer known: manifests/${tag}.json is not in ${settings.manifestBucket}. Nothing ` +
      'was changed. Bring that object’s last version back, or put the list of the site’s plugins there, and start again.',
  );
}

interface MoodleInDatabase {
  /** Moodle's number, for example `2026100500.00`. */
  readonly version: string;
  /** For example `5.3.1 (Build: 20261102)`. */
  readonly release: string;
  readonly plugins: ReadonlyMap<string, number>;
}

async function readMoodle(database: MoodleDatabase, { databasePrefix }: Settings): Promise<MoodleInDatabase> {
  const config = await database.query(
    `SELECT name, value FROM ${databasePrefix}config WHERE name IN ('version', 'release')`,
  );
  const plugins = await database.query(
    `SELECT plugin, value FROM ${databasePrefix}config_plugins WHERE name = 'version'`,
  );
  const value = (name: string) =>
    textOrNull(
      config.find((row) => text(row, 'name') === name),
      'value',
    ) ?? '';
  return {
    version: value('version'),
    release: value('release'),
    plugins: new Map(plugins.map((row) => [text(row, 'plugin'), Number(textOrNull(row, 'value') ?? 0)])),
  };
}

async function offeredUpdates(
  directory: PluginDirectory,
  { what }: UpdateRequest,
  current: Manifest,
  { version, release }: MoodleInDatabase,
): Promise<Map<string, readonly OfferedVersion[]>> {
  const asked = what.includes('plugins') ? current.plugins : [];
  if (asked.length === 0 && !what.includes('core')) return new Map();
  const versions = new Map(asked.map((plugin) => [plugin.component, plugin.version]));
  const { core, plugins } = await directory.findUpdates(version, branchOf(release), versions);
  return new Map([...plugins, ['core', core]]);
}

async function lookUpAdded(
  directory: PluginDirectory,
  { add }: UpdateRequest,
  branch: string,
): Promise<Map<string, OfferedVersion>> {
  const found = new Map<string, OfferedVersion>();
  for (const { component, version, url } of add) {
    if (!url) found.set(component, await directory.findPlugin(component, branch, version));
  }
  return found;
}

/** Archives that are read at the same time: a plugin's place is often slow, and the function has minutes only. */
const atOnce = 4;

/**
 * Attempts of this phase, about four minutes, in which an archive's place is waited for. After them the version is left
 * out: one place that is down keeps no other plugin from coming.
 */
const patientRetries = 12;

interface ReadArchives {
  readonly pinned: ReadonlyMap<string, PinnedPlugin>;
  readonly stopped: readonly LeftOut[];
}

const nothingRead: ReadArchives = { pinned: new Map(), stopped: [] };

/** @throws PluginDirectoryNotAnswering, PluginArchiveWrong */
async function pinAll({ chosen, changes }: Decision, retries: number): Promise<ReadArchives> {
  const pinned = new Map<string, PinnedPlugin>();
  const stopped: LeftOut[] = [];
  const isAsked = (component: string) => changes.some((change) => change.component === component && change.asked);
  for (let first = 0; first < chosen.length; first += atOnce) {
    const some = chosen.slice(first, first + atOnce);
    for (const [index, read] of (await Promise.allSettled(some.map(pin))).entries()) {
      const { component, version } = some[index] as ChosenPlugin;
      if (read.status === 'fulfilled') pinned.set(component, read.value);
      else if (isAsked(component) || !isOfArchive(read.reason, retries)) throw read.reason;
      else stopped.push(leaveOut(component, `${version}: ${read.reason.why}`, 'archive'));
    }
  }
  return { pinned, stopped };
}

function isOfArchive(error: unknown, retries: number): error is PluginArchiveWrong | PluginDirectoryNotAnswering {
  return (
    error instanceof PluginArchiveWrong || (error instanceof PluginDirectoryNotAnswering && retries >= patientRetries)
  );
}

async function pin({ component, version, release, url, checksum }: ChosenPlugin): Promise<PinnedPlugin> {
  return { component, version, release, url, sha256: await checksumOfArchive(component, url, checksum) };
}

/** SNS and the history take more; a person does not. */
const partCharacters = 900;

function inOneLine({ changes, leftOut }: Decision, { deleteData }: UpdateRequest): string {
  // What was to come and cannot is read first.
  const out = [...leftOut].sort((one, other) => Number(!one.stoppedBy) - Number(!other.stoppedBy));
  const parts = [
    changes.length > 0 ? upTo(changes.map(changeInWords)) : 'nothing to update',
    ...(deleteData.length > 0 ? [`data of ${deleteData.join(', ')} deleted`] : []),
    ...(out.length > 0 ? [`left out: ${upTo(out.map(({ component, why }) => `${component} (${why})`))}`] : []),
  ];
  return parts.join('. ');
}

/** As many as a person reads, and how many more there are. */
function upTo(words: readonly string[]): string {
  let length = 0;
  const shown = words.filter((word, index) => {
    length += word.length + 2;
    return index === 0 || length <= partCharacters;
  });
  return [...shown, ...(shown.length < words.length ? [`and ${words.length - shown.length} more`] : [])].join('; ');
}

const plugins = (count: number) => `${count} ${count === 1 ? 'plugin' : 'plugins'}`;

export const handler = makeHandler(
  'Find updates',
  (): FindUpdatesClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      s3: new S3Client({}),
      ssm: new SSMClient({}),
      directory: new PluginDirectory(settings.pluginDirectoryUrl),
      deployedPlugins,
    };
  },
  findUpdates,
);
