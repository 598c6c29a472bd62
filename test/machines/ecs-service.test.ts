import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openTinyAccount, type TinyAccount } from './tiny-account.ts';

let account: TinyAccount;
beforeEach(async () => {
  account = await openTinyAccount();
});
afterEach(() => account.close());

const steady = (runningCount: number) =>
  eventually(async () => {
    const service = await account.describe();
    expect(service).toMatchObject({ runningCount, pendingCount: 0, deployments: [{ rolloutState: 'COMPLETED' }] });
    expect(service.deployments).toHaveLength(1);
    expect(await targetStates()).toEqual(Array.from({ length: runningCount }, () => 'healthy'));
    return service;
  });

async function targetStates(): Promise<string[]> {
  const { TargetHealthDescriptions: targets } = (await account.call('elasticloadbalancing', 'DescribeTargetHealth', {
    TargetGroupArn: account.targetGroupArn,
  })) as { TargetHealthDescriptions: { TargetHealth: { State: string } }[] };
  return targets.map(({ TargetHealth }) => TargetHealth.State);
}

test('a deployment replaces every node without failing one request, drained', async () => {
  expect((await fetch(account.address)).status).toBe(503);
  await account.update({ desiredCount: 2 });
  await steady(2);
  account.push('two');
  const statuses: number[] = [];
  let asking = true;
  const load = Promise.all(
    [0, 1, 2].map(async () => {
      while (asking) statuses.push((await fetch(account.address)).status);
    }),
  );
  const slow = fetch(`${account.address}/slow`);
  await account.update({ taskDefinition: await account.revise('two') });
  const during = await account.describe();
  expect(during.deployments.map(({ status, rolloutState }) => [status, rolloutState])).toEqual([
    ['PRIMARY', 'IN_PROGRESS'],
    ['ACTIVE', 'COMPLETED'],
  ]);
  const after = await steady(2);
  expect((await slow).status).toBe(200);
  expect(await (await slow).text()).toBe('slow but whole');
  asking = false;
  await load;
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statuses.length).toBeGreaterThan(50);
  expect((await fetch(account.address)).headers.get('x-tag')).toBe('two');
  expect(after.events.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('has reached a steady state.'),
  );
  expect(after.deployments[0]?.id).toMatch(/^ecs-svc\/\d{19}$/);
});

test('rolling without room for one node more, and to yet another revision meanwhile, fails no request either', async () => {
  await account.update({ desiredCount: 2 });
  await steady(2);
  for (const tag of ['two', 'three']) account.push(tag);
  const seen: { status: number; tag: string | null }[] = [];
  let asking = true;
  const load = Promise.all(
    [0, 1, 2].map(async () => {
      while (asking) {
        const answer = await fetch(account.address);
        seen.push({ status: answer.status, tag: answer.headers.get('x-tag') });
        await answer.text();
      }
    }),
  );
  const deploymentConfiguration = { minimumHealthyPercent: 50, maximumPercent: 100 };
  const [second, third] = [await account.revise('two'), await account.revise('three')];
  await account.update({ taskDefinition: second, deploymentConfiguration });
  let most = 0;
  await eventually(async () => {
    most = Math.max(most, (await targetStates()).filter((state) => state !== 'draining').length);
    expect(seen.some(({ tag }) => tag === 'two')).toBe(true);
  });
  await account.update({ taskDefinition: third });
  await steady(2);
  asking = false;
  await load;
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([200]));
  expect(most).toBeLessThanOrEqual(2);
  expect((await account.describe()).taskDefinition).toBe(third);
  expect((await fetch(account.address)).headers.get('x-tag')).toBe('three');
});

test('a node gets its secrets, its folder and the deployment that started it', async () => {
  await account.update({ desiredCount: 1 });
  const { deployments } = await steady(1);
  const environment = (await (await fetch(`${account.address}/environment`)).json()) as Record<string, string>;
  expect(environment.PASSWORD).toBe('from the secret');
  expect(environment.DATAROOT).toMatch(new RegExp(`^${account.world.directory}/files/fs-\\w+/data$`));
  const { taskArns } = (await account.call('ecs', 'ListTasks', {
    cluster: 'tiny',
    startedBy: deployments[0]?.id,
  })) as { taskArns: string[] };
  const { tasks } = (await account.call('ecs', 'DescribeTasks', { cluster: 'tiny', tasks: taskArns })) as {
    tasks: object[];
  };
  expect(tasks).toMatchObject([
    { lastStatus: 'RUNNING', startedBy: deployments[0]?.id, group: 'service:web', containers: [{ name: 'moodle' }] },
  ]);
});

test('nodes that crash stop the deployment by the circuit breaker, and the old ones go on serving', async () => {
  await account.update({ desiredCount: 1 });
  await steady(1);
  account.push('crashes');
  await account.update({ taskDefinition: await account.revise('crashes') });
  const failed = await eventually(async () => {
    const service = await account.describe();
    expect(service.deployments[0]).toMatchObject({ rolloutState: 'FAILED', failedTasks: 3 });
    return service;
  });
  expect(failed.deployments[1]).toMatchObject({ status: 'ACTIVE', runningCount: 1 });
  expect((await fetch(account.address)).headers.get('x-tag')).toBe('one');
  const { taskArns } = (await account.call('ecs', 'ListTasks', { cluster: 'tiny', desiredStatus: 'STOPPED' })) as {
    taskArns: string[];
  };
  const { tasks } = (await account.call('ecs', 'DescribeTasks', { cluster: 'tiny', tasks: taskArns })) as {
    tasks: { stopCode: string; containers: { exitCode: number }[] }[];
  };
  expect(tasks.map(({ stopCode, containers }) => [stopCode, containers[0]?.exitCode])).toEqual([
    ['EssentialContainerExited', 3],
    ['EssentialContainerExited', 3],
    ['EssentialContainerExited', 3],
  ]);
});

test('a node that the load balancer finds ill is replaced after its grace period', async () => {
  account.push('ill');
  const taskDefinition = await account.revise('ill');
  await account.update({ desiredCount: 1, taskDefinition, healthCheckGracePeriodSeconds: 1 });
  await eventually(async () => {
    const { events } = await account.describe();
    expect(events.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('Task failed ELB health checks'),
    );
  });
  await account.update({ taskDefinition: account.taskDefinitionArn, healthCheckGracePeriodSeconds: 30 });
  await steady(1);
});

test('an ill node is left alone within its grace period', async () => {
  account.push('ill');
  const taskDefinition = await account.revise('ill');
  await account.update({ desiredCount: 1, taskDefinition, healthCheckGracePeriodSeconds: 20 });
  await eventually(async () => expect(await targetStates()).toEqual(['unhealthy']));
  await wait(1_200);
  expect(await account.describe()).toMatchObject({ runningCount: 1, deployments: [{ failedTasks: 0 }] });
});

test('a node that is killed is replaced', async () => {
  await account.update({ desiredCount: 1 });
  await steady(1);
  const before = (await fetch(account.address)).headers.get('x-node');
  await account.call('ecs', 'StopTask', { cluster: 'tiny', task: before, reason: 'by hand' });
  await eventually(async () => {
    const answer = await fetch(account.address);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-node')).not.toBe(before);
  });
  const { tasks } = (await account.call('ecs', 'DescribeTasks', { cluster: 'tiny', tasks: [before] })) as {
    tasks: object[];
  };
  expect(tasks).toMatchObject([{ desiredStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'by hand' }]);
});

test.each([
  [
    'an image that was never pushed',
    async () => account.revise('never'),
    /^CannotPullContainerError: .*never: not found/,
  ],
  [
    'a secret that the execution role may not read',
    async () => {
      account.executionRole.policies.clear();
      return account.taskDefinitionArn;
    },
    /^ResourceInitializationError: unable to pull secrets .* unable to retrieve secret from asm: AccessDeniedException: .*execution.* is not authorized to perform: secretsmanager:GetSecretValue/,
  ],
  [
    'files that the task role may not mount',
    async () => {
      account.taskRole.policies.clear();
      return account.taskDefinitionArn;
    },
    /^ResourceInitializationError: .*mount.nfs4: access denied by server .*elasticfilesystem:ClientMount/,
  ],
])('a task does not start with %s, and says why', async (_, prepare, reason) => {
  const taskDefinition = await prepare();
  const { tasks } = (await account.call('ecs', 'RunTask', { cluster: 'tiny', taskDefinition })) as {
    tasks: { taskArn: string }[];
  };
  await eventually(async () => {
    const described = (await account.call('ecs', 'DescribeTasks', {
      cluster: 'tiny',
      tasks: tasks.map(({ taskArn }) => taskArn),
    })) as { tasks: { stopCode: string; stoppedReason: string }[] };
    expect(described.tasks[0]).toMatchObject({ stopCode: 'TaskFailedToStart' });
    expect(described.tasks[0]?.stoppedReason).toMatch(reason);
  });
});

test('a task that is stopped while it starts leaves no container behind', async () => {
  const { tasks } = (await account.call('ecs', 'RunTask', { cluster: 'tiny', taskDefinition: 'web', count: 5 })) as {
    tasks: { taskArn: string }[];
  };
  const taskArns = tasks.map(({ taskArn }) => taskArn);
  for (const [index, task] of taskArns.entries()) {
    await account.call('ecs', 'StopTask', { cluster: 'tiny', task });
    await wait(index);
  }
  await eventually(async () => {
    const described = (await account.call('ecs', 'DescribeTasks', { cluster: 'tiny', tasks: taskArns })) as {
      tasks: { lastStatus: string }[];
    };
    expect(new Set(described.tasks.map(({ lastStatus }) => lastStatus))).toEqual(new Set(['STOPPED']));
  });
  // Long enough for one that would start all the same; and one that was started may still be ending.
  await wait(200);
  await eventually(() => expect(containersOf(account.world.directory)).toEqual([]));
});

/** Command lines of running nodes of this account. */
function containersOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(`${directory}/node.mjs`));
}

test('a container that does not heed SIGTERM is killed after its stop timeout', async () => {
  account.push('deaf');
  await account.update({ desiredCount: 1, taskDefinition: await account.revise('deaf') });
  await steady(1);
  const node = (await fetch(account.address)).headers.get('x-node');
  await account.update({ desiredCount: 0 });
  await eventually(async () => {
    const { tasks } = (await account.call('ecs', 'DescribeTasks', { cluster: 'tiny', tasks: [node] })) as {
      tasks: { startedAt: Date; stoppedAt: Date }[];
    };
    expect(tasks).toMatchObject([
      { lastStatus: 'STOPPED', stopCode: 'ServiceSchedulerInitiated', containers: [{ exitCode: 137 }] },
    ]);
  });
});

test('a task that is run once tells its exit code; the same clientToken runs it once', async () => {
  const input = {
    cluster: 'tiny',
    taskDefinition: 'web',
    clientToken: 'token',
    startedBy: 'test',
    overrides: { containerOverrides: [{ name: 'moodle', command: ['process.exit(7)'] }] },
  };
  const first = (await account.call('ecs', 'RunTask', input)) as { tasks: { taskArn: string }[] };
  const second = (await account.call('ecs', 'RunTask', input)) as { tasks: { taskArn: string }[] };
  expect(second.tasks.map(({ taskArn }) => taskArn)).toEqual(first.tasks.map(({ taskArn }) => taskArn));
  await expect(account.call('ecs', 'RunTask', { ...input, startedBy: 'another' })).rejects.toMatchObject({
    code: 'ConflictException',
  });
  await eventually(async () => {
    const { tasks } = (await account.call('ecs', 'DescribeTasks', {
      cluster: 'tiny',
      tasks: first.tasks.map(({ taskArn }) => taskArn),
    })) as { tasks: object[] };
    expect(tasks).toMatchObject([
      { lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited', containers: [{ exitCode: 7 }] },
    ]);
  });
});

test('a range brings the capacity into itself, with every call, and remembers what is suspended', async () => {
  await account.update({ desiredCount: 0 });
  const target = {
    ServiceNamespace: 'ecs',
    ResourceId: 'service/tiny/web',
    ScalableDimension: 'ecs:service:DesiredCount',
  };
  const register = (input: object) =>
    account.call('application-autoscaling', 'RegisterScalableTarget', { ...target, ...input });
  await register({ MinCapacity: 1, MaxCapacity: 3 });
  expect((await account.describe()).desiredCount).toBe(1);
  await account.update({ desiredCount: 0 });
  await register({ SuspendedState: { DynamicScalingOutSuspended: true } });
  expect((await account.describe()).desiredCount).toBe(1);
  const described = await account.call('application-autoscaling', 'DescribeScalableTargets', {
    ServiceNamespace: 'ecs',
  });
  expect(described).toMatchObject({
    ScalableTargets: [
      {
        MinCapacity: 1,
        MaxCapacity: 3,
        SuspendedState: { DynamicScalingInSuspended: false, DynamicScalingOutSuspended: true },
      },
    ],
  });
  await expect(register({ MinCapacity: 4 })).rejects.toMatchObject({ code: 'ValidationException' });
});

test('a later deploy changes what the template changed, and leaves what a rollout set', async () => {
  await account.update({ desiredCount: 2, healthCheckGracePeriodSeconds: 7 });
  await steady(2);
  await account.call('elasticloadbalancing', 'ModifyTargetGroupAttributes', {
    TargetGroupArn: account.targetGroupArn,
    Attributes: [{ Key: 'stickiness.enabled', Value: 'true' }],
  });
  const properties = {
    ServiceName: 'web',
    Cluster: 'tiny',
    DesiredCount: 0,
    TaskDefinition: account.taskDefinitionArn,
    DeploymentConfiguration: {
      MaximumPercent: 200,
      MinimumHealthyPercent: 50,
      DeploymentCircuitBreaker: { Enable: true, Rollback: false },
    },
    HealthCheckGracePeriodSeconds: 30,
    LoadBalancers: [{ ContainerName: 'moodle', ContainerPort: 8080, TargetGroupArn: account.targetGroupArn }],
  };
  await account.make('AWS::ECS::Service', 'Web', properties);
  expect(await account.describe()).toMatchObject({
    desiredCount: 2,
    healthCheckGracePeriodSeconds: 7,
    deploymentConfiguration: { minimumHealthyPercent: 50 },
  });
});
