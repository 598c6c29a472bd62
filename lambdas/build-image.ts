import { createHash } from 'node:crypto';
import { BatchGetBuildsCommand, type Build, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { DescribeImagesCommand, ECRClient, type ImageDetail } from '@aws-sdk/client-ecr';
import { ImageBuildFailed, ImageStillBuilding } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout, write } from './shared/hold.ts';
import { type MoodleDatabase, textOrNull } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import type { PhaseInput } from './shared/plan.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';

export interface BuildImageClients {
  readonly database: MoodleDatabase;
  readonly images: ECRClient;
  readonly builds: CodeBuildClient;
  readonly settings: Settings;
}

export interface BuiltImage {
  readonly image: string;
  readonly digest: string;
  readonly built: string;
}

/** The build is kept among the tasks of this execution, under this purpose, by its build id. */
const purpose = 'build image';

/**
 * Brings the planned image into the repository. An image that is there is not built again: its tag is made from its
 * content.
 *
 * @throws ImageStillBuilding with the build's phase
 * @throws ImageBuildFailed, HoldLost
 */
export async function buildImage(
  clients: BuildImageClients,
  { site, execution, plan }: PhaseInput,
): Promise<BuiltImage> {
  const { settings } = clients;
  const rollout = { site, execution };
  const found = await findImage(clients, plan.image);
  const build = await readBuild(clients, rollout);
  if (found)
    return { image: plan.image, digest: found.imageDigest ?? '', built: build ? took(build) : 'was there already' };

  if (plan.image !== settings.imageTag) {
    throw new ImageBuildFailed(
      `The site runs the image ${plan.image}, which is no longer in the repository ${settings.repositoryName}, and only ` +
        `${settings.imageTag} can be built from what is deployed. Nothing was changed. Push the image again, or deploy ` +
        'the version of this project that it was made from.',
    );
  }
  const running = build ?? (await startBuild(clients, rollout, plan.image));
  const where = running.currentPhase?.toLowerCase().replaceAll('_', ' ') ?? 'queued';
  if (running.buildStatus === 'IN_PROGRESS') {
    throw new ImageStillBuilding(`CodeBuild works on ${plan.image}: ${where}${since(running.startTime)}.`);
  }
  if (running.buildStatus === 'SUCCEEDED') {
    throw new ImageStillBuilding(`CodeBuild pushed ${plan.image}; ECR does not show it yet.`);
  }
  throw buildFailed(running, plan.image, settings);
}

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

async function readBuild({ database, builds }: BuildImageClients, rollout: Rollout): Promise<Build | undefined> {
  const [row] = await database.query(
    `SELECT task_arn FROM moodle_lifecycle.task_run
      WHERE site = :site AND execution = :execution AND purpose = :purpose`,
    { ...rollout, purpose },
  );
  const id = textOrNull(row, 'task_arn');
  if (!id) return undefined;
  const { builds: found = [] } = await builds.send(new BatchGetBuildsCommand({ ids: [id] }));
  return found[0];
}

/** The idempotency token makes a second StartBuild, after a kill before the id was written, answer the first build. */
async function startBuild(
  { database, builds, settings }: BuildImageClients,
  rollout: Rollout,
  tag: string,
): Promise<Build> {
  await assertHeld(database, rollout);
  const { now, orNothing } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.task_run (site, execution, purpose, requested_at)
     SELECT :site, :execution, :purpose, ${now} WHERE {held}
     ${orNothing(['site', 'execution', 'purpose'])}`,
    { purpose },
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
    { purpose, id: build.id },
  );
  return build;
}

function buildFailed(build: Build, tag: string, { buildProjectName }: Settings): ImageBuildFailed {
  const phase = build.phases?.find((one) => one.phaseStatus && one.phaseStatus !== 'SUCCEEDED');
  const context =
    phase?.contexts
      ?.map((one) => one.message)
      .filter(Boolean)
      .join('; ') || 'no reason given';
  const log = build.logs?.deepLink ? ` Log: ${build.logs.deepLink}` : '';
  return new ImageBuildFailed(
    `CodeBuild (${buildProjectName}) did not build ${tag}: ${build.buildStatus} in ${phase?.phaseType ?? 'an unknown phase'}: ` +
      `${context}. No node was touched. Mend image/, deploy, and start the rollout again.${log}`,
  );
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
    };
  },
  buildImage,
);
