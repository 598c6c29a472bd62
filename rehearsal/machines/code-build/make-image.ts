import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { authorize } from '../../iam/authorize.ts';
import { fetchMoodle } from '../../moodle/download.ts';
import { numberOf, readMoodle } from '../../moodle/version-file.ts';
import { assetPath } from '../../template/assets.ts';
import type { World } from '../../world.ts';
import { imageFolder } from '../container.ts';
import { findRepository, imagesOf } from '../ecr-state.ts';
import { objectFile } from '../objects.ts';
import { keeperOf } from '../process-keeper.ts';
import { assembleStandIn } from './assemble-stand-in.ts';
import type { Project } from './types.ts';

/**
 * Makes what the image would hold, without Docker: for a real Moodle the nodes' scripts from the project's source, and
 * the code tree by the image's own `assemble-code`, `check-moodle`, `add-plugins` and `check-plugins`; for the stand-in its plugins. Then
 * records the image in the repository.
 *
 * @param given the build's environment: IMAGE_TAG and REPOSITORY_URI are needed, as in the build specification
 * @param enter called when a phase begins
 * @returns IMAGE_TAG and IMAGE_DIGEST
 * @throws Error with what went wrong and the last lines of the log; then the repository has no new image
 */
export async function makeImage(
  world: World,
  project: Project,
  given: Readonly<Record<string, string>>,
  logFile: string,
  enter: (phase: string) => void,
): Promise<{ IMAGE_TAG: string; IMAGE_DIGEST: string }> {
  const log = (line: string) => appendLine(logFile, line);
  enter('DOWNLOAD_SOURCE');
  const [bucket = '', ...key] = project.sourceLocation.split('/');
  allow(world, project, 's3:GetObject', `arn:${world.partition}:s3:::${project.sourceLocation}`);
  const source = assetPath(world.cloudAssembly, key.join('/'));
  log(`Source: ${bucket}/${key.join('/')}`);
  enter('PRE_BUILD');
  const tag = given.IMAGE_TAG;
  if (!tag) throw new Error('test -n "$IMAGE_TAG": exit status 1. IMAGE_TAG is given with each build.');
  const image = `${given.REPOSITORY_URI ?? ''}:${tag}`;
  const found = findRepository(world, image);
  if (!found) throw new Error(`REPOSITORY_URI ${given.REPOSITORY_URI} is not a repository of this account.`);
  const { repository } = found;
  allow(world, project, 'ecr:GetAuthorizationToken', '*');
  const manifest = findManifest(world, project, given, tag);
  log(`Manifest: ${manifest}`);
  enter('BUILD');
  if (world.moodle.kind === 'real') await assemble(world, { source, tag, manifest, logFile });
  else await assembleStandIn(manifest, given.MOODLE_VERSION, imageFolder(world, tag).code, log);
  for (const action of ['ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage']) {
    allow(world, project, action, repository.repositoryArn);
  }
  const name = `${repository.repositoryName}:${tag}`;
  if (imagesOf(world).get(name) && repository.imageTagMutability === 'IMMUTABLE') {
    throw new Error(
      `tag invalid: The image tag '${tag}' already exists in the '${repository.repositoryName}' repository.`,
    );
  }
  const imageDigest = `sha256:${createHash('sha256').update(`${source}/${tag}`).digest('hex')}`;
  imagesOf(world).set(name, {
    repositoryName: repository.repositoryName,
    imageTag: tag,
    imageDigest,
    imagePushedAt: new Date().toISOString(),
    imageSizeInBytes: 0,
  });
  log(`Pushed ${image} (${imageDigest})`);
  enter('POST_BUILD');
  return { IMAGE_TAG: tag, IMAGE_DIGEST: `${repository.repositoryUri}@${imageDigest}` };
}

/**
 * The file that names the image's plugins and Moodle, with the permission to read it.
 *
 * @throws Error when it is not there: nothing is built without it, as in the build specification
 */
function findManifest(
  world: World,
  project: Project,
  { MANIFEST_BUCKET: bucket = '' }: Readonly<Record<string, string>>,
  tag: string,
): string {
  const key = `manifests/${tag}.json`;
  allow(world, project, 's3:GetObject', `arn:${world.partition}:s3:::${bucket}/${key}`);
  const file = objectFile(world, bucket, key);
  if (existsSync(file)) return file;
  throw new Error(
    `aws s3 cp s3://${bucket}/${key}: exit status 1. An image is built from its manifest, and ${tag} has none.`,
  );
}

/** @throws Error when the manifest names no Moodle; MoodleNotReachable, ChecksumMismatch for another one than is here */
async function moodleFolder({ moodle }: World, manifest: string): Promise<string | undefined> {
  if (moodle.kind !== 'real') return undefined;
  const version: unknown = JSON.parse(readFileSync(manifest, 'utf8'))?.moodle?.version;
  if (typeof version !== 'string') throw new Error(`jq .moodle.version: exit status 1. ${manifest} names no Moodle.`);
  const named = moodle.otherReleases?.get(version);
  if (named !== undefined) return named;
  if (numberOf(moodle.release) === version) return moodle.directory;
  return fetchMoodle(version, () => {});
}

interface CodeTree {
  readonly source: string;
  readonly tag: string;
  readonly manifest: string;
  readonly logFile: string;
}

/** The same commands as in the Containerfile. */
async function assemble(world: World, { source, tag, manifest, logFile }: CodeTree): Promise<void> {
  const directory = await moodleFolder(world, manifest);
  if (directory === undefined) return;
  const { code, node } = imageFolder(world, tag);
  // Left by a build that was killed, or made by one whose push failed.
  rmSync(dirname(code), { recursive: true, force: true });
  mkdirSync(dirname(code), { recursive: true });
  cpSync(source, `${node}.new`, { recursive: true });
  renameSync(`${node}.new`, node);
  await run(world, logFile, join(node, 'assemble-code'), ['--link', directory, code]);
  appendLine(logFile, `Moodle ${readMoodle(code).release}`);
  await run(world, logFile, join(node, 'check-moodle'), [code]);
  await run(world, logFile, join(node, 'add-plugins'), [manifest, code]);
  await run(world, logFile, join(node, 'check-plugins'), [manifest, code]);
}

async function run(world: World, logFile: string, command: string, words: readonly string[]): Promise<void> {
  appendLine(logFile, [basename(command), ...words].join(' '));
  if (!existsSync(command)) throw new Error(`The source of the image has no ${basename(command)}.`);
  const step = await keeperOf(world).start(command, words, {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
    logFile,
  });
  const { code: status, signal } = await step.exited;
  // No more than CodeBuild says: what the command wrote is in the log.
  if (status !== 0) throw new Error(`${basename(command)}: exit status ${status ?? signal}`);
}

function allow(world: World, project: Project, action: string, resource: string): void {
  authorize(world, { kind: 'role', roleArn: project.serviceRole, sessionName: 'AWSCodeBuild' }, { action, resource });
}

function appendLine(file: string, line: string): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
}
