import { existsSync, readFileSync, statSync } from 'node:fs';
import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import { functionLog, functionLogStream } from '../lambda/function-process.ts';
import { functionsOf } from '../lambda/functions.ts';
import { buildsOf, projectsOf } from '../machines/code-build/builds.ts';
import { clustersOf } from '../machines/ecs/cluster.ts';
import { nodeLog } from '../machines/ecs/task.ts';
import { containerOf } from '../machines/ecs/task-definitions.ts';
import { arn, type World } from '../world.ts';

/** CloudWatch Logs, as far as reading goes: the log files of builds, functions and nodes by the names that AWS has. */
export function cloudWatchLogsService(world: World): Service {
  return {
    signingName: 'logs',
    protocol: 'json-1.1',
    targetPrefix: 'Logs_20140328',
    operations: { GetLogEvents: getLogEvents(world), DescribeLogStreams: describeLogStreams(world) },
  };
}

interface Stream {
  readonly group: string;
  readonly name: string;
  readonly file: string;
}

function streamsOf(world: World): Stream[] {
  const builds = buildsOf(world)
    .entries()
    .map(([, { id, projectName, logFile }]) => ({
      group: projectsOf(world).get(projectName)?.logGroup ?? '',
      name: id.split(':')[1] ?? '',
      file: logFile,
    }));
  const functions = [...functionsOf(world).values()].map((lambda) => ({
    group: lambda.logGroup,
    name: functionLogStream(lambda),
    file: functionLog(world, lambda),
  }));
  const nodes = [...clustersOf(world).tasks.values()].map(({ id, request }) => {
    const { name, logConfiguration } = containerOf(request.definition);
    const { 'awslogs-group': group = '', 'awslogs-stream-prefix': prefix } = logConfiguration?.options ?? {};
    return { group, name: `${prefix}/${name}/${id}`, file: nodeLog(world, id) };
  });
  return [...builds, ...functions, ...nodes].filter(({ file }) => existsSync(file));
}

interface GetLogEventsInput {
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly startFromHead?: boolean;
  readonly limit?: number;
  readonly nextToken?: string;
}

const LARGEST_PAGE = 10_000;
const startsWithMoment = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z)\s/;

const getLogEvents = (world: World): Operation<GetLogEventsInput> => ({
  members: ['logGroupName', 'logStreamName', 'startFromHead', 'limit', 'nextToken'],
  required: ['logGroupName', 'logStreamName'],
  permissions: ({ logGroupName, logStreamName }) => [
    {
      action: 'logs:GetLogEvents',
      resource: arn(world, 'logs', `log-group:${logGroupName}:log-stream:${logStreamName}`),
    },
  ],
  run({ logGroupName, logStreamName, startFromHead = false, limit = LARGEST_PAGE, nextToken }) {
    const stream = streamsOf(world).find(({ group, name }) => group === logGroupName && name === logStreamName);
    if (!stream) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    const events = eventsIn(stream.file);
    const [direction, place] = nextToken?.split('/') ?? (startFromHead ? ['f', '0'] : ['b', String(events.length)]);
    const forwards = direction === 'f';
    const edge = Number(place);
    const [start, end] = forwards ? [edge, edge + limit] : [Math.max(0, edge - limit), edge];
    return {
      events: events.slice(start, end),
      // At an end, the same token is given again, by which a caller knows that there is no more.
      nextForwardToken: `f/${Math.min(end, events.length)}`,
      nextBackwardToken: `b/${start}`,
    };
  },
});

/** A line without a moment of its own is of the moment of the line before it. */
function eventsIn(file: string): object[] {
  let timestamp = Math.round(statSync(file).birthtimeMs);
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter(Boolean).map((message) => {
    const [, moment] = startsWithMoment.exec(message) ?? [];
    if (moment !== undefined) timestamp = Date.parse(moment);
    return { timestamp, message, ingestionTime: timestamp };
  });
}

const describeLogStreams = (world: World): Operation<{ logGroupName: string; logStreamNamePrefix?: string }> => ({
  members: ['logGroupName', 'logStreamNamePrefix', 'orderBy', 'descending', 'limit'],
  required: ['logGroupName'],
  permissions: ({ logGroupName }) => [
    { action: 'logs:DescribeLogStreams', resource: arn(world, 'logs', `log-group:${logGroupName}:log-stream:`) },
  ],
  run: ({ logGroupName, logStreamNamePrefix = '' }) => ({
    logStreams: streamsOf(world)
      .filter(({ group, name }) => group === logGroupName && name.startsWith(logStreamNamePrefix))
      .map(({ name }) => ({ logStreamName: name })),
  }),
});
