import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { branchOf, type ChosenPlugin, changesNothing, type Decision, decideUpdates } from './shared/decide-updates.ts';
import { deployedPlugins } from './shared/deployed-plugins.ts';
import { UpdateNotPossible } from './shared/errors.ts';
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
import { changeInWords, type UpdatePlan } from './shared/update-plan.ts';
import { readOpenRun } from './shared/update-run.ts';

export interface FindUpdatesClients {
  readonly database: MoodleDatabase;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  readonly directory: PluginDirectory;
  readonly deployedPlugins: readonly PinnedPlugin[];
  readonly settings: Settings;
}

/**
 * Decides what this rollout does, and changes nothing. Archives are read once, to pin what is chosen to its SHA-256.
 *
 * @throws PluginDirectoryNotAnswering while the directory or an archive cannot be read
 * @throws UpdateNotPossible, OlderThanDatabase, PluginArchiveWrong, HoldLost
 */
export async function findUpdates(
  clients: FindUpdatesClients,
  { site, execution, request, unfinished }: Rollout & { readonly request: UpdateRequest; readonly unfinished: string },
): Promise<UpdatePlan> {
  const { database, ssm, settings } = clients;
  await assertHeld(database, { site, execution });
  if (unfinished === 'finish') return planToFinish(clients, site);

  const deployed = deployedManifest(settings, clients.deployedPlugins);
  const { 'image-tag': fromImage } = await readParameters(ssm, settings);
  const current = await manifestOf(clients, fromImage);
  const moodle = await readMoodle(database, settings);
  const decision = decideUpdates(request, {
    current,
    deployed,
    imageChanged: fromImage !== settings.imageTag && !fromImage.startsWith(`${settings.imageTag}-`),
    offered: await offeredUpdates(clients.directory, request, current, moodle),
    added: await lookUpAdded(clients.directory, request, branchOf(moodle.release)),
    inDatabase: moodle.plugins,
  });
  const nothing = changesNothing(decision, current);
  // Without reading the archives there is no manifest of the new image, and no tag.
  const builds = !nothing && !request.dryRun;
  const manifest = builds
    ? { moodle: decision.moodle, plugins: [...decision.kept, ...(await pinAll(decision.chosen))] }
    : current;
  return {
    outcome: nothing ? 'nothing' : request.dryRun ? 'plan' : 'update',
    summary: inOneLine(decision, request),
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
  return { ...run.plan, manifest, outcome: 'finish', summary: `finished: ${run.plan.summary}`, approval: false };
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

async function pinAll(chosen: readonly ChosenPlugin[]): Promise<PinnedPlugin[]> {
  const pinned: PinnedPlugin[] = [];
  for (let first = 0; first < chosen.length; first += atOnce) {
    pinned.push(...(await Promise.all(chosen.slice(first, first + atOnce).map(pin))));
  }
  return pinned;
}

async function pin({ component, version, release, url, checksum }: ChosenPlugin): Promise<PinnedPlugin> {
  return { component, version, release, url, sha256: await checksumOfArchive(component, url, checksum) };
}

function inOneLine({ changes, leftOut }: Decision, { deleteData }: UpdateRequest): string {
  const parts = [
    changes.length > 0 ? changes.map(changeInWords).join('; ') : 'nothing to update',
    ...(deleteData.length > 0 ? [`data of ${deleteData.join(', ')} deleted`] : []),
    ...(leftOut.length > 0
      ? [`left out: ${leftOut.map(({ component, why }) => `${component} (${why})`).join('; ')}`]
      : []),
  ];
  // SNS and the history take more; a person does not.
  return parts.join('. ').slice(0, 1500);
}

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
