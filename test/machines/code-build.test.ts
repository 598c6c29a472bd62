import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callOperation } from '../../rehearsal/endpoint/dispatch.ts';
import { attachPolicy, findRole, rolesOf } from '../../rehearsal/iam/roles.ts';
import { startBuild } from '../../rehearsal/machines/code-build/builds.ts';
import { imagesOf } from '../../rehearsal/machines/ecr-state.ts';
import { machineProviders } from '../../rehearsal/machines/index.ts';
import { objectFile } from '../../rehearsal/machines/objects.ts';
import { readVersionFile } from '../../rehearsal/moodle/version-file.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { codeBuild } from '../../rehearsal/services/codebuild.ts';
import { makeCodeTree } from '../image/code-tree.ts';
import { leftOut } from '../image/run.ts';
import { codeOnly } from '../plugins/harmless.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld } from './make-world.ts';

const noPhp = leftOut('builds of a code tree', 'php', 'curl');

const roleArn = 'arn:aws:iam::111122223333:role/build';
const permissions = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow' as const, Action: ['s3:GetObject*', 'ecr:*'], Resource: '*' }],
};

let parts: string;
let world: Awaited<ReturnType<typeof makeWorld>>;
beforeEach(async () => {
  parts = mkdtempSync(join(tmpdir(), 'build-'));
  writeMoodle();
  writeAssembly();
  world = await makeWorld({
    cloudAssembly: join(parts, 'cdk.out'),
    moodle: { kind: 'real', directory: join(parts, 'moodle'), release: '4.5.6', branch: 405 },
  });
  rolesOf(world).set(roleArn, {
    roleName: 'build',
    roleArn,
    trusted: ['codebuild.amazonaws.com'],
    policies: new Map(),
  });
  attachPolicy(findRole(world, roleArn), 'all', permissions);
  const repository = await make('AWS::ECR::Repository', {
    RepositoryName: 'images',
    ImageTagMutability: 'IMMUTABLE',
  });
  await make('AWS::CodeBuild::Project', {
    Name: 'project',
    ServiceRole: roleArn,
    Environment: {
      EnvironmentVariables: [
        { Name: 'REPOSITORY_URI', Value: repository?.attributes.RepositoryUri ?? '' },
        { Name: 'MANIFEST_BUCKET', Value: 'manifests' },
      ],
    },
    Source: {
      Type: 'S3',
      Location: 'assets/abc.zip',
      BuildSpec: JSON.stringify({ env: { 'exported-variables': ['IMAGE_TAG', 'IMAGE_DIGEST'] } }),
    },
  });
});
afterEach(async () => {
  await world.close();
  rmSync(parts, { recursive: true, force: true });
});

function writeMoodle(): void {
  makeCodeTree(join(parts, 'moodle'));
  writeFileSync(join(parts, 'moodle/lib/setup.php'), '<?php\n');
  writeFileSync(join(parts, 'moodle/config.php'), '<?php // a stray one\n');
}

/** A cloud assembly whose only asset is the repository's `image/`. */
function writeAssembly(): void {
  const assembly = join(parts, 'cdk.out');
  cpSync(fileURLToPath(new URL('../../image', import.meta.url)), join(assembly, 'asset.abc'), { recursive: true });
  // A double: this Moodle is none that could be asked. That it stops a build is tried below.
  writeFileSync(join(assembly, 'asset.abc/check-moodle'), '#!/bin/sh\necho "a double looked at $1"\n');
  const files = { abc: { source: { path: 'asset.abc' }, destinations: { here: { objectKey: 'abc.zip' } } } };
  writeFileSync(join(assembly, 'Tiny.assets.json'), JSON.stringify({ files }));
}

async function make(type: string, properties: Record<string, unknown>) {
  const provider = machineProviders.find((one) => one.type === type);
  return await provider?.create({ stackName: 'Tiny', logicalId: type, type, properties }, world);
}

function writeManifest(tag: string, plugins: readonly object[] = [], version = '4.5.6'): void {
  const file = objectFile(world, 'manifests', `manifests/${tag}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ moodle: { version, sha256: null }, plugins }));
}

async function build(tag: string): Promise<Built> {
  const { id } = startBuild(world, {
    projectName: 'project',
    environmentVariablesOverride: tag === '' ? [] : [{ name: 'IMAGE_TAG', value: tag }],
  });
  return await eventually(async () => {
    const built = await describeBuild(id);
    expect(built.buildComplete).toBe(true);
    return built;
  });
}

async function describeBuild(id: string): Promise<Built> {
  const context = { principal: { kind: 'operator' }, requestId: 'test' } as const;
  const answer = await callOperation(world, codeBuild(world), 'BatchGetBuilds', { ids: [id] }, context);
  const [built] = (answer as { builds: Built[] }).builds;
  if (!built) throw new Error(`there is no build ${id}`);
  return built;
}

interface Built {
  readonly buildComplete: boolean;
  readonly buildStatus: string;
  readonly exportedEnvironmentVariables: object[];
  readonly phases: { phaseType: string; phaseStatus: string; contexts?: { message: string }[] }[];
  readonly logs: { deepLink: string };
}

const logOf = ({ logs }: Built) => readFileSync(fileURLToPath(logs.deepLink), 'utf8');

test.skipIf(noPhp)('assembles the code tree with the image’s own commands and pushes the tag', async () => {
  writeManifest('one');
  const built = await build('one');
  expect(built.buildStatus).toBe('SUCCEEDED');
  expect(built.phases.map(({ phaseType }) => phaseType)).toEqual([
    'SUBMITTED',
    'PROVISIONING',
    'DOWNLOAD_SOURCE',
    'PRE_BUILD',
    'BUILD',
    'POST_BUILD',
    'FINALIZING',
  ]);
  const digest = imagesOf(world).get('images:one')?.imageDigest;
  expect(built.exportedEnvironmentVariables).toMatchObject([
    { name: 'IMAGE_TAG', value: 'one' },
    { name: 'IMAGE_DIGEST', value: expect.stringContaining(`@${digest}`) },
  ]);
  const { directory } = world;
  expect(existsSync(join(directory, 'images/one/node/entrypoint'))).toBe(true);
  expect(existsSync(join(directory, 'images/one/code/lib/setup.php'))).toBe(true);
  expect(readFileSync(join(directory, 'images/one/code/config.php'), 'utf8')).not.toContain('a stray one');
  expect(readFileSync(join(parts, 'moodle/config.php'), 'utf8')).toContain('a stray one');
});

test.skipIf(noPhp)('adds the plugins of the tag’s manifest, and ends when one is not what it should be', async () => {
  const directory = await PluginDirectory.start([codeOnly(1)]);
  try {
    const { component, version, archive } = codeOnly(1);
    for (const [tag, content] of Object.entries({ right: archive, wrong: 'something else' })) {
      const sha256 = createHash('sha256').update(content).digest('hex');
      const plugin = { component, version, url: directory.downloadUrl(codeOnly(1)), sha256 };
      writeManifest(tag, [plugin]);
    }
    expect(await build('right')).toMatchObject({ buildStatus: 'SUCCEEDED' });
    expect(existsSync(join(world.directory, 'images/right/code/local/codeonly/version.php'))).toBe(true);
    const wrong = await build('wrong');
    expect(wrong.buildStatus).toBe('FAILED');
    expect(wrong.phases.at(-1)?.contexts?.[0]?.message).toBe('add-plugins: exit status 1');
    expect(logOf(wrong)).toMatch(/^plugin problem: local_codeonly: \S+ has the SHA-256/m);
    expect(imagesOf(world).get('images:wrong')).toBeUndefined();
  } finally {
    await directory.close();
  }
});

test.skipIf(noPhp)('builds with the Moodle that the manifest names, from the folder that has it', async () => {
  const newer = makeCodeTree(join(parts, 'newer'));
  const file = join(newer, 'version.php');
  writeFileSync(file, readFileSync(file, 'utf8').replace('4.5.6', '4.5.7'));
  Object.assign(world.moodle, { otherReleases: new Map([['4.5.7', newer]]) });
  writeManifest('older');
  writeManifest('newer', [], '4.5.7');

  expect((await build('older')).buildStatus).toBe('SUCCEEDED');
  expect((await build('newer')).buildStatus).toBe('SUCCEEDED');

  const release = (tag: string) => readVersionFile(join(world.directory, 'images', tag, 'code')).release;
  expect([release('older'), release('newer')]).toEqual(['4.5.6 (Build: 20250811)', '4.5.7 (Build: 20250811)']);
});

test.skipIf(noPhp)('ends before any plugin comes where this Moodle is not one that is known', async () => {
  const image = fileURLToPath(new URL('../../image/check-moodle', import.meta.url));
  writeFileSync(join(parts, 'cdk.out/asset.abc/check-moodle'), readFileSync(image));
  rmSync(join(parts, 'moodle/lib/components.json'));
  writeManifest('one');

  const built = await build('one');

  expect(built.phases.at(-1)?.contexts?.[0]?.message).toBe('check-moodle: exit status 1');
  expect(logOf(built)).toMatch(/^Moodle problem: Moodle 4\.5\.6 .* lib\/components\.json is not there/m);
  expect(logOf(built)).not.toContain('add-plugins');
  expect(imagesOf(world).get('images:one')).toBeUndefined();
});

test.skipIf(noPhp)('a tag that cannot change is not pushed again', async () => {
  writeManifest('one');
  await build('one');
  const again = await build('one');
  expect(again.buildStatus).toBe('FAILED');
  expect(again.phases.at(-1)).toMatchObject({
    phaseType: 'BUILD',
    phaseStatus: 'FAILED',
    contexts: [{ message: expect.stringContaining("The image tag 'one' already exists") }],
  });
});

test.each([
  [
    'a folder that is not a Moodle',
    () => rmSync(join(parts, 'moodle/version.php')),
    'one',
    /^assemble-code: exit status 1$/,
  ],
  ['no manifest', () => {}, 'two', /An image is built from its manifest, and two has none/],
  ['no tag', () => {}, '', /IMAGE_TAG is given with each build/],
  [
    'a role that may not push',
    () => findRole(world, roleArn).policies.clear(),
    'one',
    /is not authorized to perform: s3:GetObject/,
  ],
])('fails with %s, says why, and pushes nothing', async (_, spoil, tag, words) => {
  writeManifest('one');
  spoil();
  const built = await build(tag);
  expect(built.buildStatus).toBe('FAILED');
  expect(built.phases.at(-1)?.contexts?.[0]?.message).toMatch(words);
  expect(imagesOf(world).entries()).toEqual([]);
});

test('the same token starts one build', () => {
  const input = { projectName: 'project', idempotencyToken: 'token' };
  expect(startBuild(world, input).id).toBe(startBuild(world, input).id);
});
