import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError } from '../../endpoint/service.ts';
import { perWorld } from '../../per-world.ts';
import { arn, type World } from '../../world.ts';
import { makeImage } from './make-image.ts';
import type { Build, EnvironmentVariable, Phase, Project } from './types.ts';

/** By name. */
export const projectsOf = perWorld(() => new Map<string, Project>());

/** By id. */
export function buildsOf(world: Pick<World, 'state'>) {
  return world.state.collection<Build>('codebuild-builds');
}

export interface StartBuildInput {
  readonly projectName: string;
  readonly environmentVariablesOverride?: readonly EnvironmentVariable[];
  readonly idempotencyToken?: string;
}

/**
 * Starts a build and returns; it goes on by itself. The same token gives the build of the first call.
 *
 * @throws AwsError ResourceNotFoundException
 */
export function startBuild(world: World, input: StartBuildInput): Build {
  const project = projectsOf(world).get(input.projectName);
  if (!project) throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${input.projectName}`);
  const builds = buildsOf(world);
  const all = builds.entries().map(([, build]) => build);
  const before = all.find(
    ({ idempotencyToken }) => idempotencyToken !== undefined && idempotencyToken === input.idempotencyToken,
  );
  if (before) return before;
  const id = `${project.name}:${randomUUID()}`;
  const build: Build = {
    id,
    arn: arn(world, 'codebuild', `build/${id}`),
    projectName: project.name,
    buildNumber: all.length + 1,
    startTime: Date.now(),
    buildStatus: 'IN_PROGRESS',
    phases: [],
    environmentVariables: merged(project.environmentVariables, input.environmentVariablesOverride ?? []),
    exportedEnvironmentVariables: [],
    logFile: join(world.directory, 'logs', 'builds', `${id.split(':')[1]}.log`),
    ...(input.idempotencyToken === undefined ? {} : { idempotencyToken: input.idempotencyToken }),
  };
  builds.set(id, build);
  void run(world, project, build);
  return build;
}

/** Marks builds that a killed rehearsal left behind: nobody works on them any more. */
export function endLeftBuilds(world: Pick<World, 'state'>): void {
  for (const [id, build] of buildsOf(world).entries()) {
    if (build.buildStatus !== 'IN_PROGRESS') continue;
    endPhase(build, 'FAULT', 'The rehearsal ended while the build was running.');
    buildsOf(world).set(id, { ...build, buildStatus: 'FAULT', endTime: Date.now() });
  }
}

async function run(world: World, project: Project, build: Build): Promise<void> {
  const save = () => buildsOf(world).set(build.id, build);
  const enter = (phaseType: string) => {
    endPhase(build, 'SUCCEEDED');
    build.phases.push({ phaseType, startTime: Date.now() });
    save();
  };
  enter('SUBMITTED');
  enter('PROVISIONING');
  try {
    const given = Object.fromEntries(build.environmentVariables.map(({ name, value }) => [name, value]));
    const made = await makeImage(world, project, given, build.logFile, enter);
    enter('FINALIZING');
    build.exportedEnvironmentVariables = Object.entries(made)
      .filter(([name]) => project.exportedVariables.includes(name))
      .map(([name, value]) => ({ name, value }));
    endPhase(build, 'SUCCEEDED');
    build.buildStatus = 'SUCCEEDED';
  } catch (error) {
    endPhase(build, 'FAILED', error instanceof Error ? error.message : String(error));
    build.buildStatus = 'FAILED';
  }
  build.endTime = Date.now();
  save();
}

function endPhase(build: Build, status: NonNullable<Phase['phaseStatus']>, message?: string): void {
  const phase = build.phases.at(-1);
  if (!phase || phase.endTime !== undefined) return;
  phase.endTime = Date.now();
  phase.phaseStatus = status;
  if (message !== undefined) phase.message = message;
}

function merged(own: readonly EnvironmentVariable[], given: readonly EnvironmentVariable[]): EnvironmentVariable[] {
  return [...own.filter(({ name }) => !given.some((one) => one.name === name)), ...given];
}
