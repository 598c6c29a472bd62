import type { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export interface SiteAlarmProps {
  /** What the runbook's section is called, after “Alarm: ”. */
  readonly title: string;
  /** What is wrong, in one sentence; the link to the runbook follows it. */
  readonly says: string;
  readonly metric: IMetric;
  readonly comparison: 'at least' | 'at most';
  readonly threshold: number;
  /** The time that is looked at. */
  readonly lasting: Duration;
  /** Length of one data point. */
  readonly period: Duration;
  /** How many of them have to be beyond the threshold. Default: all in `lasting`. */
  readonly datapointsToAlarm?: number;
  /** For a percentile: periods with too few samples for it leave the alarm as it is. */
  readonly needsSamples?: boolean;
}

/**
 * An alarm of the site. Missing data never sets it off: a metric that is not there is that of a part that is not at
 * work, for example a database that pauses or a site whose first node is still to come. Where silence itself is the
 * trouble, the expression fills it in.
 */
export function siteAlarm(scope: Construct, id: string, props: SiteAlarmProps): Alarm {
  const { metric, period, lasting } = props;
  const evaluationPeriods = lasting.toSeconds() / period.toSeconds();
  return new Alarm(scope, id, {
    alarmDescription: describe(props),
    metric: withPeriod(metric, period),
    threshold: props.threshold,
    comparisonOperator:
      props.comparison === 'at least'
        ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        : ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods,
    datapointsToAlarm: props.datapointsToAlarm ?? evaluationPeriods,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    ...(props.needsSamples && { evaluateLowSampleCountPercentile: 'ignore' }),
  });
}

export function describe({ says, title }: Pick<SiteAlarmProps, 'says' | 'title'>): string {
  return `${says} What to do: docs/runbook.md#alarm-${title.toLowerCase().replaceAll(' ', '-')}`;
}

/** Told when it begins, and when it is over. */
export function tell(alarm: Pick<Alarm, 'addAlarmAction' | 'addOkAction'>, topic: sns.ITopic): void {
  const action = new SnsAction(topic);
  alarm.addAlarmAction(action);
  alarm.addOkAction(action);
}

/** An expression takes the period over for each of its metrics. */
function withPeriod(metric: IMetric, period: Duration): IMetric {
  if (metric instanceof MathExpression) return metric.with({ period });
  return (metric as IMetric & { with(options: MetricOptions): IMetric }).with({ period });
}
