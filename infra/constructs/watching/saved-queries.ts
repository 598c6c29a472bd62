import { type ILogGroup, QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LifecycleStack } from '../../stacks/lifecycle-stack.ts';
import type { PlatformStack } from '../../stacks/platform-stack.ts';

export interface SavedQueriesProps {
  readonly platform: PlatformStack;
  readonly lifecycle: LifecycleStack;
}

/** PHP's and Moodle's own words for trouble, nginx's levels, and what the entrypoint says when it gives up. */
export const nodeErrors =
  '/PHP (Fatal|Parse|Warning)|Default exception handler|\\[(error|crit|alert|emerg)\\]|Nothing was started|ended by itself|exit code/';

/** Questions to the logs that the runbook asks, saved in CloudWatch Logs Insights in a folder with the site's name. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { platform, lifecycle }: SavedQueriesProps) {
    super(scope, id);
    const nodes = [platform.webTask.logGroup, platform.cronTask.logGroup];
    const save = (name: string, logGroups: ILogGroup[], query: QueryString) =>
      new QueryDefinition(this, name.replaceAll(' ', ''), {
        queryDefinitionName: `${platform.config.site}/${name}`,
        logGroups,
        queryString: query,
      });

    save(
      'errors of nodes',
      nodes,
      new QueryString({
        fields: ['@timestamp', '@logStream', '@message'],
        filterStatements: [`@message like ${nodeErrors}`],
        sort: '@timestamp desc',
        limit: 200,
      }),
    );
    // The access log of the image: JSON, without the query of the address.
    save(
      'slow requests',
      [platform.webTask.logGroup],
      new QueryString({
        filterStatements: ['ispresent(seconds) and seconds >= 1'],
        statsStatements: [
          'count(*) as requests, avg(seconds) as average, max(seconds) as slowest by method, uri, status',
        ],
        sort: 'slowest desc',
        limit: 50,
      }),
    );
    save(
      'failed requests',
      [platform.webTask.logGroup],
      new QueryString({
        filterStatements: ['ispresent(seconds) and status >= 500'],
        statsStatements: ['count(*) as requests, max(seconds) as slowest by bin(5m), status, uri'],
        sort: 'requests desc',
        limit: 100,
      }),
    );
    save(
      'what the rollout did',
      [...lifecycle.functions.byName.values()].map((phase) => phase.function.logGroup),
      new QueryString({
        fields: ['@timestamp', 'phase', 'event', 'milliseconds', 'error', 'message'],
        filterStatements: ['ispresent(phase)'],
        sort: '@timestamp desc',
        limit: 500,
      }),
    );
    save(
      'failed phases',
      [...lifecycle.functions.byName.values()].map((phase) => phase.function.logGroup),
      new QueryString({
        fields: ['@timestamp', 'phase', 'error', 'message', 'stack', 'execution'],
        filterStatements: ['event = "failed" or @message like /Task timed out|Runtime exited/'],
        sort: '@timestamp desc',
        limit: 100,
      }),
    );
  }
}
