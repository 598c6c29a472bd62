import { BatchDeleteImageCommand, DescribeImagesCommand, ECRClient, type ImageDetail } from '@aws-sdk/client-ecr';
import { RDSClient } from '@aws-sdk/client-rds';
import { SSMClient } from '@aws-sdk/client-ssm';
import { Wait } from './shared/errors.ts';
import { asPhaseError, makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import { isOfUpdate } from './shared/manifest.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters } from './shared/parameters.ts';
import { mayBeRemoved } from './shared/rds/names.ts';
import { identifierOf, listRemovable, removeDatabase } from './shared/rds/remove.ts';
import { deleteSnapshot, listSnapshots } from './shared/rds/snapshots.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import type { UpdatePhaseInput } from './shared/update-plan.ts';
import { finishRun } from './shared/update-run.ts';

export interface CleanUpClients {
  readonly database: MoodleDatabase;
  readonly rds: RDSClient;
  readonly images: ECRClient;
  readonly ssm: SSMClient;
  readonly settings: Settings;
}

/** Names of what was removed. */
export interface CleanedUp {
  readonly snapshots: readonly string[];
  readonly databases: readonly string[];
  readonly images: readonly string[];
  /** What was to be removed and could not be, and why: the next update tries again. */
  readonly kept: readonly string[];
}

/**
 * Marks the update as done, and removes what its policy no longer keeps. Only what carries the site's own tags and is
 * past its day is removed, and of images only those that updates have built into the site's own repository.
 *
 * @throws HoldLost
 */
export async function cleanUp(
  clients: CleanUpClients,
  { site, execution, plan }: UpdatePhaseInput,
): Promise<CleanedUp> {
  const { database, rds, settings } = clients;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  await finishRun(database, rollout, 'done');

  const old = (await listSnapshots(rds, settings)).filter(
    ({ tags, status }) => mayBeRemoved(tags, site) && status === 'available',
  );
  const kept: string[] = [];
  const remove = async <One>(all: readonly One[], nameOf: (one: One) => string, work: (one: One) => Promise<void>) => {
    const removed: string[] = [];
    for (const one of all) {
      try {
        await work(one);
        removed.push(nameOf(one));
      } catch (thrown) {
        const error = asPhaseError(thrown, 'Clean up');
        if (error instanceof Wait) throw error;
        // One that cannot be removed does not keep the others, which cost money too.
        kept.push(`${nameOf(one)}: ${thrown instanceof Error ? thrown.message : error.message}`);
      }
    }
    return removed;
  };
  const snapshots = await remove(
    old,
    ({ identifier }) => identifier,
    ({ identifier }) => deleteSnapshot(rds, settings, identifier),
  );
  const databases = await remove(await listRemovable(rds, settings), identifierOf, (found) =>
    removeDatabase(rds, found),
  );
  return { snapshots, databases, images: await removeImages(clients, plan, kept), kept };
}

/** More than one call may delete. */
const mostImages = 100;

async function removeImages(
  { images, ssm, settings }: CleanUpClients,
  { image, fromImage, snapshotRetentionDays }: UpdatePhaseInput['plan'],
  kept: string[],
): Promise<string[]> {
  const { 'image-tag': current } = await readParameters(ssm, settings);
  // The one before is what a person goes back to by hand.
  const needed = new Set([current, image, fromImage, settings.imageTag]);
  const oldest = Date.now() - snapshotRetentionDays * 86_400_000;
  const found: ImageDetail[] = [];
  let nextToken: string | undefined;
  do {
    const answer = await images.send(
      new DescribeImagesCommand({ repositoryName: settings.repositoryName, ...(nextToken ? { nextToken } : {}) }),
    );
    found.push(...(answer.imageDetails ?? []));
    nextToken = answer.nextToken;
  } while (nextToken);
  const old = found
    .filter(({ imagePushedAt }) => imagePushedAt !== undefined && imagePushedAt.getTime() < oldest)
    .flatMap(({ imageTags = [] }) => imageTags)
    .filter((tag) => isOfUpdate(tag) && !needed.has(tag))
    .slice(0, mostImages);
  if (old.length === 0) return [];
  // ECR answers what it did not delete among what it did, and that with 200.
  const { failures = [] } = await images.send(
    new BatchDeleteImageCommand({
      repositoryName: settings.repositoryName,
      imageIds: old.map((imageTag) => ({ imageTag })),
    }),
  );
  const left = new Map(failures.map(({ imageId, failureReason }) => [imageId?.imageTag, failureReason ?? 'no reason']));
  kept.push(...[...left].map(([tag, why]) => `${tag}: ${why}`));
  return old.filter((tag) => !left.has(tag));
}

export const handler = makeHandler(
  'Clean up',
  (): CleanUpClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      rds: new RDSClient({}),
      images: new ECRClient({}),
      ssm: new SSMClient({}),
    };
  },
  cleanUp,
);
