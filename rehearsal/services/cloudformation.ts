import { AwsError, type Service } from '../endpoint/service.ts';
import { stackId } from '../template/deploy.ts';
import { type DeployedStack, deploymentOf } from '../template/deployment.ts';
import type { World } from '../world.ts';

/** CloudFormation: what is deployed, with its outputs. */
export function cloudFormationService(world: World): Service {
  return {
    signingName: 'cloudformation',
    protocol: 'query',
    xmlNamespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    operations: {
      DescribeStacks: {
        members: ['StackName'],
        permissions: ({ StackName }) => [
          { action: 'cloudformation:DescribeStacks', resource: StackName ? stackId(world, StackName) : '*' },
        ],
        run: ({ StackName }: { StackName?: string }) => ({
          Stacks: find(world, StackName).map((stack) => describe(world, stack)),
        }),
      },
    },
  };
}

function find(world: World, name: string | undefined): DeployedStack[] {
  const stacks = [...deploymentOf(world).stacks.values()];
  if (name === undefined) return stacks;
  const found = stacks.filter(({ stackName }) => stackName === name || stackId(world, stackName) === name);
  if (found.length === 0) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
  return found;
}

function describe(world: World, { stackName, deployedAt, outputs }: DeployedStack): object {
  return {
    StackId: stackId(world, stackName),
    StackName: stackName,
    CreationTime: deployedAt,
    StackStatus: 'CREATE_COMPLETE',
    Outputs: outputs.map(({ key, value, description, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
      ExportName: exportName,
    })),
  };
}
