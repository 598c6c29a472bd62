import type { Permission, Service } from '../endpoint/service.ts';
import { buildsOf, projectsOf, type StartBuildInput, startBuild } from '../machines/code-build/builds.ts';
import type { Build } from '../machines/code-build/types.ts';
import { arn, type World } from '../world.ts';

/** The part of the AWS CodeBuild API that rollouts and operators use. */
export function codeBuild(world: World): Service {
  const onProject = (action: string, name: string): Permission => ({
    action: `codebuild:${action}`,
    resource: arn(world, 'codebuild', `project/${name}`),
  });
  return {
    signingName: 'codebuild',
    protocol: 'json-1.1',
    targetPrefix: 'CodeBuild_20161006',
    operations: {
      ListProjects: {
        members: ['sortBy', 'sortOrder', 'nextToken'],
        permissions: () => [{ action: 'codebuild:ListProjects', resource: '*' }],
        run: () => ({ projects: [...projectsOf(world).keys()] }),
      },
      StartBuild: {
        members: ['projectName', 'environmentVariablesOverride', 'idempotencyToken'],
        permissions: ({ projectName }: StartBuildInput) => [onProject('StartBuild', projectName)],
        run: (input: StartBuildInput) => ({ build: describe(world, startBuild(world, input)) }),
      },
      ListBuildsForProject: {
        members: ['projectName', 'sortOrder', 'nextToken'],
        permissions: ({ projectName }: { projectName: string }) => [onProject('ListBuildsForProject', projectName)],
        run: ({ projectName, sortOrder = 'DESCENDING' }: { projectName: string; sortOrder?: string }) => {
          const ids = buildsOf(world)
            .entries()
            .filter(([, build]) => build.projectName === projectName)
            .map(([id]) => id);
          return { ids: sortOrder === 'DESCENDING' ? ids.reverse() : ids };
        },
      },
      BatchGetBuilds: {
        members: ['ids'],
        permissions: ({ ids }: { ids: string[] }) =>
          ids.map((id) => onProject('BatchGetBuilds', id.split(':')[0] ?? '')),
        run: ({ ids }: { ids: string[] }) => ({
          builds: ids.flatMap((id) => {
            const build = buildsOf(world).get(id);
            return build ? [describe(world, build)] : [];
          }),
          buildsNotFound: ids.filter((id) => !buildsOf(world).get(id)),
        }),
      },
    },
  };
}

function describe(world: World, build: Build): object {
  return {
    id: build.id,
    arn: build.arn,
    buildNumber: build.buildNumber,
    startTime: new Date(build.startTime),
    endTime: build.endTime === undefined ? undefined : new Date(build.endTime),
    currentPhase: build.endTime === undefined ? build.phases.at(-1)?.phaseType : 'COMPLETED',
    buildStatus: build.buildStatus,
    buildComplete: build.buildStatus !== 'IN_PROGRESS',
    projectName: build.projectName,
    phases: build.phases.map(({ phaseType, phaseStatus, startTime, endTime, message }) => ({
      phaseType,
      phaseStatus,
      startTime: new Date(startTime),
      endTime: endTime === undefined ? undefined : new Date(endTime),
      durationInSeconds: endTime === undefined ? undefined : Math.round((endTime - startTime) / 1_000),
      contexts: message === undefined ? undefined : [{ statusCode: 'COMMAND_EXECUTION_ERROR', message }],
    })),
    environment: {
      type: 'LINUX_CONTAINER',
      image: 'rehearsal',
      computeType: 'BUILD_GENERAL1_SMALL',
      environmentVariables: build.environmentVariables,
    },
    exportedEnvironmentVariables: build.exportedEnvironmentVariables,
    logs: {
      // Where the log is on this computer, in the place of the link to CloudWatch.
      deepLink: `file://${build.logFile}`,
      streamName: build.id.split(':')[1],
      groupName: projectsOf(world).get(build.projectName)?.logGroup,
    },
  };
}
