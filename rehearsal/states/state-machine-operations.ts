import type { Operation } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { requireExecution } from './execution-store.ts';
import { page } from './page.ts';
import { requireStateMachine, stateMachinesOf } from './state-machines.ts';

/** The part of Step Functions' API that looks at state machines. */
export function stateMachineOperations(world: World): Record<string, Operation> {
  return {
    DescribeStateMachine: describeStateMachine(world),
    DescribeStateMachineForExecution: describeStateMachineForExecution(world),
    ListStateMachines: listStateMachines(world),
    ListTagsForResource: listTagsForResource(world),
  };
}

const describeStateMachine = (world: World): Operation<{ stateMachineArn: string }> => ({
  members: ['stateMachineArn', 'includedData'],
  required: ['stateMachineArn'],
  permissions: ({ stateMachineArn }) => [{ action: 'states:DescribeStateMachine', resource: stateMachineArn }],
  run({ stateMachineArn }) {
    const machine = requireStateMachine(world, stateMachineArn);
    return {
      stateMachineArn,
      name: machine.name,
      status: 'ACTIVE',
      definition: machine.definitionText,
      roleArn: machine.roleArn,
      type: 'STANDARD',
      creationDate: machine.created,
    };
  },
});

const describeStateMachineForExecution = (world: World): Operation<{ executionArn: string }> => ({
  members: ['executionArn', 'includedData'],
  required: ['executionArn'],
  permissions: ({ executionArn }) => [{ action: 'states:DescribeStateMachineForExecution', resource: executionArn }],
  run({ executionArn }) {
    const stored = requireExecution(world, executionArn);
    return {
      stateMachineArn: stored.stateMachineArn,
      name: stored.stateMachineArn.split(':').at(-1),
      definition: stored.definitionText,
      roleArn: stored.roleArn,
      updateDate: new Date(stored.startDate),
    };
  },
});

const listStateMachines = (world: World): Operation<{ maxResults?: number; nextToken?: string }> => ({
  members: ['maxResults', 'nextToken'],
  permissions: () => [{ action: 'states:ListStateMachines', resource: '*' }],
  run({ maxResults, nextToken }) {
    const { items, next } = page([...stateMachinesOf(world).values()], maxResults, nextToken);
    return {
      stateMachines: items.map(({ stateMachineArn, name, created }) => ({
        stateMachineArn,
        name,
        type: 'STANDARD',
        creationDate: created,
      })),
      nextToken: next,
    };
  },
});

const listTagsForResource = (world: World): Operation<{ resourceArn: string }> => ({
  members: ['resourceArn'],
  required: ['resourceArn'],
  permissions: ({ resourceArn }) => [{ action: 'states:ListTagsForResource', resource: resourceArn }],
  run({ resourceArn }) {
    const { tags } = requireStateMachine(world, resourceArn);
    return { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
  },
});
