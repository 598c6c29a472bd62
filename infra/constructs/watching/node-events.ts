import { Duration } from 'aws-cdk-lib';
import { type Alarm, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventPattern, Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface NodeEventsProps {
  readonly platform: PlatformStack;
  readonly topic: sns.ITopic;
}

/**
 * What ECS says of nodes that it takes away or cannot start. Single events are everyday, so they are counted and not
 * sent; a queue that nobody empties keeps those of the last fortnight to be read. Not a log group: EventBridge may write
 * to one only by a policy of which an account has ten.
 */
export class NodeEvents extends Construct {
  readonly queue: sqs.Queue;
  /** Only where there are Spot nodes. */
  readonly spotInterruptions: Metric | undefined;
  readonly alarms: readonly Alarm[];
  readonly #target: SqsQueue;

  constructor(scope: Construct, id: string, { platform, topic }: NodeEventsProps) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(this.queue, 'AwsSolutions-SQS3', 'Nothing receives from it, so nothing can fail to.');
    this.#target = new SqsQueue(this.queue);
    const { clusterArn } = platform.nodes.cluster;
    const { interruptionsPerHour, notStarted } = thresholds.nodeEvents;
    const alarms = [
      siteAlarm(this, 'NotStartedAlarm', {
        title: 'nodes not started',
        says: `ECS has failed to start nodes ${notStarted} times and more within 15 minutes.`,
        metric: this.#count('NotStarted', `Nodes of ${platform.config.site} that ECS cannot start`, {
          detailType: ['ECS Service Action'],
          resources: [platform.web.service.serviceArn, platform.cron.service.serviceArn],
          detail: { eventName: ['SERVICE_TASK_PLACEMENT_FAILURE', 'SERVICE_TASK_START_IMPAIRED'] },
        }),
        comparison: 'at least',
        threshold: notStarted,
        period: Duration.minutes(15),
        lasting: Duration.minutes(15),
      }),
    ];
    const { compute, spotWeight, site } = platform.config;
    if (spotWeight > 0) {
      const { autoScalingGroupName } = platform.nodes.capacity;
      this.spotInterruptions = this.#count(
        'SpotInterruptions',
        `Spot interruptions of ${site}`,
        autoScalingGroupName === undefined ? nodeTakenBack(clusterArn) : instanceTakenBack(autoScalingGroupName),
      );
      alarms.push(
        siteAlarm(this, 'SpotAlarm', {
          title: 'Spot interruptions',
          says: `AWS has taken back ${interruptionsPerHour} Spot ${compute === 'ec2' ? 'instances' : 'nodes'} and more within an hour.`,
          metric: this.spotInterruptions,
          comparison: 'at least',
          threshold: interruptionsPerHour,
          period: Duration.hours(1),
          lasting: Duration.hours(1),
        }),
      );
    }
    this.alarms = alarms;
    for (const alarm of this.alarms) tell(alarm, topic);
  }

  #count(id: string, description: string, pattern: EventPattern): Metric {
    const rule = new Rule(this, id, {
      description,
      eventPattern: { source: ['aws.ecs'], ...pattern },
      targets: [this.#target],
    });
    return new Metric({
      namespace: 'AWS/Events',
      metricName: 'Invocations',
      dimensionsMap: { RuleName: rule.ruleName },
      statistic: Stats.SUM,
      label: id,
    });
  }
}

function nodeTakenBack(clusterArn: string): EventPattern {
  return {
    detailType: ['ECS Task State Change'],
    detail: { clusterArn: [clusterArn], lastStatus: ['STOPPED'], stopCode: ['SpotInterruption'] },
  };
}

/**
 * Of an instance that is taken back, ECS says no more than that it drains, as of one that stood empty, and EC2's own
 * warning does not say which group it is of. Auto Scaling finds it gone, and words it so; also an instance that failed.
 */
function instanceTakenBack(autoScalingGroupName: string): EventPattern {
  return {
    source: ['aws.autoscaling'],
    detailType: ['EC2 Instance Terminate Successful'],
    detail: {
      AutoScalingGroupName: [autoScalingGroupName],
      Cause: Match.wildcard('*EC2 health check indicating it has been terminated or stopped*'),
    },
  };
}
