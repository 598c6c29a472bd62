import { createHash } from 'node:crypto';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { BatchGetBuildsCommand, type Build, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import {
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  ECRClient,
  type ImageDetail,
} from '@aws-sdk/client-ecr';
import { S3Client } from '@aws-sdk/client-s3';
import { deployedPlugins } from './shared/deployed-plugins.ts';
import { ImageBuildFailed, ImageStillBuilding } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout, write } from './shared/hold.ts';
import { deployedManifest, type Manifest, type PinnedPlugin, readManifest, writeManifest } from './shared/manifest.ts';
import { type MoodleDatabase, textOrNull } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { type LeftOut, leaveOut, type PlannedChange } from './shared/update-plan.ts';

export interface BuildImageClients {
  readonly database: MoodleDatabase;
  readonly images: ECRClient;
  readonly builds: CodeBuildClient;
  readonly logs: CloudWatchLogsClient;
  readonly s3: S3Client;
  readonly deployedPlugins: readonly PinnedPlugin[];
  readonly settings: Settings;
}

export interface PlannedImage extends Rollout {
  readonly plan: {
    /** Tag. */
    readonly image: string;
    /** What it is made of; left out by rollouts that plan no other image than the deployed or the running one. */
    readonly manifest?: Manifest;
    /** Of an update. */
    readonly changes?: readonly PlannedChange[];
    readonly leftOut?: readonly LeftOut[];
  };
}

export interface BuiltImage {
  readonly image: string;
  readonly digest: string;
  readonly built: string;
  /** What the registry found in it. */
  readonly scan: string;
}

/** No image: the rollout plans again without these plugins. */
export interface StoppedImage {
  /** Of all builds of this rollout. */
  readonly leftOut: readonly LeftOut[];
  /** Which build of this rollout it was. */
  readonly builds: number;
}

/** The build is kept among the tasks of this execution, under a purpose of the tag's own, by its build id. */
const purposeOf = (tag: string) => `${purposes} ${tag}`;
const purposes = 'build image';

/**
 * Builds that one rollout makes at most. Each leaves out at least one plugin more; that of a plugin's dependents shows in
 * the build after its own.
 */
const mostBuilds = 6;

/** Beyond these it is the build that is broken, and not the plugins. */
const mostLeftOut = 50;

/**
 * Brings the planned image into the repository. An image that is there is not built again: its tag is made from its
 * content. Plugins whose new version the build refuses are left out, unless the input named them.
 *
 * @throws ImageStillBuilding with the build's phase
 * @throws ImageBuildFailed, HoldLost
 */
export async function buildImage(
  clients: BuildImageClients,
  { site, execution, plan }: PlannedImage,
): Promise<BuiltImage | StoppedImage> {
  const rollout = { site, execution };
  const found = await findImage(clients, plan.image);
  const build = await readBuild(clients, rollout, plan.image);
  if (found) {
    return {
      image: plan.image,
      digest: found.imageDigest ?? '',
      built: build ? took(build) : 'was there already',
      scan: await scanOf(clients, plan.image, found),
    };
  }
  const running = build ?? (await startBuild(clients, rollout, plan));
  const where = running.currentPhase?.toLowerCase().replaceAll('_', ' ') ?? 'queued';
  if (running.buildStatus === 'IN_PROGRESS') {
    throw new ImageStillBuilding(`CodeBuild works on ${plan.image}: ${where}${since(running.startTime)}.`);
  }
  if (running.buildStatus === 'SUCCEEDED') {
    throw new ImageStillBuilding(`CodeBuild pushed ${plan.image}; ECR does not show it yet.`);
  }
  const said = await lastWords(clients, running);
  const builds = await countBuilds(clients, rollout);
  const stopped = builds < mostBuilds ? stoppedPlugins(plan, said.problems) : [];
  const before = (plan.leftOut ?? []).filter(({ stoppedBy }) => stoppedBy === 'build');
  if (stopped.length === 0 || stopped.length + before.length > mostLeftOut) {
    throw buildFailed(clients, running, plan, said, before);
  }
  return { leftOut: [...before, ...stopped], builds };
}

/**
 * What can be left out so that the others come: plugins that were to change, and that the input does not name. A plugin
 * that stays as it is can be to blame as well as the one that broke it, so that it does not keep that from being left out.
 *
 * @returns none where only a failure is right
 */
function stoppedPlugins({ changes = [] }: PlannedImage['plan'], problems: readonly PluginProblem[]): LeftOut[] {
  const named = new Set(problems.map(({ component }) => component));
  if (changes.some(({ component, asked }) => asked && named.has(component))) return [];
  return changes
    .filter(({ component, to }) => named.has(component) && typeof to === 'number')
    .map(({ component, to }) => {
      const why = problems.filter((problem) => problem.component === component).map(({ problem }) => problem);
      return leaveOut(component, `${to}: ${[...new Set(why)].join('; ')}`, 'build');
    });
}

/**
 * Puts down what the image is made of, for the build and for every later update.
 *
 * @throws ImageBuildFailed when the deployed sources do not make this image
 */
async function keepManifest({ s3, settings, deployedPlugins }: BuildImageClients, plan: PlannedImage['plan']) {
  const { image } = plan;
  const deployed = deployedManifest(settings, deployedPlugins);
  const manifest =
    image === settings.imageTag ? deployed : (plan.manifest ?? (await readManifest(s3, settings, image)));
  if (manifest && (image === settings.imageTag || image.startsWith(`${settings.imageTag}-`))) {
    return writeManifest(s3, settings, image, manifest);
  }
  throw new ImageBuildFailed(
    `The site runs the image ${image}, which is no longer in the repository ${settings.repositoryName}, and only ` +
      `${settings.imageTag} can be built from what is deployed. Nothing was changed. Push the image again, or deploy ` +
      'the version of this project that it was made from.',
  );
}

/** Seconds after the push in which ECR’s scan is waited for. It takes a minute, but need not be switched on. */
const scanSeconds = 600;

/** @throws ImageStillBuilding while ECR scans */
async function scanOf(
  { images, settings }: BuildImageClients,
  tag: string,
  { imagePushedAt }: ImageDetail,
): Promise<string> {
  const age = (Date.now() - (imagePushedAt?.getTime() ?? 0)) / 1000;
  try {
    const { imageScanStatus, imageScanFindings } = await images.send(
      new DescribeImageScanFindingsCommand({
        repositoryName: settings.repositoryName,
        imageId: { imageTag: tag },
        maxResults: 1,
      }),
    );
    const status = imageScanStatus?.status ?? '';
    if ((status === 'IN_PROGRESS' || status === 'PENDING') && age < scanSeconds) {
      throw new ImageStillBuilding(`${tag} is pushed; ECR scans it.`);
    }
    if (status !== 'COMPLETE' && status !== 'ACTIVE') return `not scanned: ${imageScanStatus?.description ?? status}`;
    const counts = Object.entries(imageScanFindings?.findingSeverityCounts ?? {});
    return counts.length > 0
      ? counts.map(([severity, count]) => `${count} ${severity.toLowerCase()}`).join(', ')
      : 'nothing found';
  } catch (error) {
    if (error instanceof Error && error.name === 'ScanNotFoundException') {
      // The scan on push appears moments after the push.
      if (age < scanStartSeconds) throw new ImageStillBuilding(`${tag} is pushed; ECR is about to scan it.`);
      return 'not scanned';
    }
    throw error;
  }
}

const scanStartSeconds = 30;

async function findImage({ images, settings }: BuildImageClients, tag: string): Promise<ImageDetail | undefined> {
  try {
    const { imageDetails = [] } = await images.send(
      new DescribeImagesCommand({ repositoryName: settings.repositoryName, imageIds: [{ imageTag: tag }] }),
    );
    return imageDetails[0];
  } catch (error) {
    if (error instanceof Error && error.name === 'ImageNotFoundException') return undefined;
    throw error;
  }
}

async function countBuilds({ database }: BuildImageClients, rollout: Rollout): Promise<number> {
  const rows = await database.query(
    `SELECT purpose FROM moodle_lifecycle.task_run
      WHERE site = :site AND execution = :execution AND purpose LIKE :purposes`,
    { ...rollout, purposes: `${purposes} %` },
  );
  return rows.length;
}

async function readBuild(
  { database, builds }: BuildImageClients,
  rollout: Rollout,
  tag: string,
): Promise<Build | undefined> {
  const [row] = await database.query(
    `SELECT task_arn FROM moodle_lifecycle.task_run
      WHERE site = :site AND execution = :execution AND purpose = :purpose`,
    { ...rollout, purpose: purposeOf(tag) },
  );
  const id = textOrNull(row, 'task_arn');
  if (!id) return undefined;
  const { builds: found = [] } = await builds.send(new BatchGetBuildsCommand({ ids: [id] }));
  return found[0];
}

/** The idempotency token makes a second StartBuild, after a kill before the id was written, answer the first build. */
async function startBuild(clients: BuildImageClients, rollout: Rollout, plan: PlannedImage['plan']): Promise<Build> {
  const { database, builds, settings } = clients;
  const tag = plan.image;
  await assertHeld(database, rollout);
  await keepManifest(clients, plan);
  const { now, orNothing } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.task_run (site, execution, purpose, requested_at)
     SELECT :site, :execution, :purpose, ${now} WHERE {held}
     ${orNothing(['site', 'execution', 'purpose'])}`,
    { purpose: purposeOf(tag) },
    { orNone: true },
  );
  const { build } = await builds.send(
    new StartBuildCommand({
      projectName: settings.buildProjectName,
      idempotencyToken: createHash('sha256').update(`${rollout.execution}|${tag}`).digest('hex'),
      environmentVariablesOverride: [{ name: 'IMAGE_TAG', value: tag, type: 'PLAINTEXT' }],
    }),
  );
  if (!build?.id) throw new TypeError('CodeBuild started a build and gave no id.');
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.task_run SET task_arn = :id
      WHERE site = :site AND execution = :execution AND purpose = :purpose AND {held}`,
    { purpose: purposeOf(tag), id: build.id },
  );
  return build;
}

function buildFailed(
  { settings: { buildProjectName } }: BuildImageClients,
  build: Build,
  { image: tag, changes }: PlannedImage['plan'],
  { problems, lines }: LastWords,
  before: readonly LeftOut[],
): ImageBuildFailed {
  const phase = build.phases?.find((one) => one.phaseStatus && one.phaseStatus !== 'SUCCEEDED');
  const context =
    phase?.contexts
      ?.map((one) => one.message)
      .filter(Boolean)
      .join('; ') || 'no reason given';
  const stays = (component: string) => changes?.some((change) => change.component === component) === false;
  const words = problems.map(({ component, problem }) =>
    stays(component) ? `${component}, in the version that the site has: ${problem}` : `${component}: ${problem}`,
  );
  const said = words.length > 0 ? words : lines;
  const log = build.logs?.deepLink ? ` Log: ${build.logs.deepLink}` : '';
  const left = before.length > 0 ? ` Left out already: ${before.map(({ component }) => component).join(', ')}.` : '';
  return new ImageBuildFailed(
    `CodeBuild (${buildProjectName}) did not build ${tag}: ${build.buildStatus} in ${phase?.phaseType ?? 'an unknown phase'}: ` +
      `${[context, ...new Set(said.slice(0, 20))].join('; ')}.${left} No node was touched. Mend what it says (a plugin can be ` +
      `left out; image/ is mended and deployed), and start the rollout again.${log}`,
  );
}

/** What the image's commands say of one plugin: one record, a line `plugin problem: <component>: <problem>`. */
interface PluginProblem {
  readonly component: string;
  readonly problem: string;
}

interface LastWords {
  readonly problems: readonly PluginProblem[];
  readonly lines: readonly string[];
}

/** What the build said of plugins, and of Moodle or else its last lines: CodeBuild itself says only which command failed. */
async function lastWords({ logs }: BuildImageClients, build: Build): Promise<LastWords> {
  const { groupName, streamName } = build.logs ?? {};
  if (!groupName || !streamName) return { problems: [], lines: [] };
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({ logGroupName: groupName, logStreamName: streamName, startFromHead: false, limit: 300 }),
  );
  const lines = events.map(({ message = '' }) => message.trim()).filter(Boolean);
  const records = new Map<string, PluginProblem>();
  for (const line of lines) {
    const [record, component = '', problem = ''] = /plugin problem: ([a-z][a-z0-9_]*): (.+?)\.?$/.exec(line) ?? [];
    if (record) records.set(`${component} ${problem}`, { component, problem });
  }
  const ofMoodle = lines.flatMap((line) => /Moodle problem: (.+?)\.?$/.exec(line)?.[1] ?? []);
  const last = ofMoodle.length > 0 ? [...new Set(ofMoodle)].slice(0, 20) : lines.slice(-5);
  return { problems: [...records.values()], lines: last.map((line) => line.slice(0, 300)) };
}

function since(start: Date | undefined): string {
  return start ? `, ${Math.round((Date.now() - start.getTime()) / 1000)} s` : '';
}

function took({ startTime, endTime }: Build): string {
  return startTime && endTime
    ? `in ${Math.round((endTime.getTime() - startTime.getTime()) / 1000)} s`
    : 'by this rollout';
}

export const handler = makeHandler(
  'Build image',
  (): BuildImageClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      images: new ECRClient({}),
      builds: new CodeBuildClient({}),
      logs: new CloudWatchLogsClient({}),
      s3: new S3Client({}),
      deployedPlugins,
    };
  },
  buildImage,
);
