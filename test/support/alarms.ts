import { metricMath, type Series } from './metric-math.ts';

interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly ReturnData?: boolean;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string }; readonly Period: number };
}

/** The properties of an alarm that decide whether it goes off. */
export interface AlarmProperties {
  readonly MetricName?: string;
  readonly Period?: number;
  readonly Metrics?: readonly MetricQuery[];
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
}

/** What was measured: a value for a period that ended so many seconds ago. `undefined`: nothing. */
export type Measured = (metricName: string, secondsAgo: number) => number | undefined;

/** Whether CloudWatch would set the alarm off, with missing data as no trouble. */
export function goesOff(alarm: AlarmProperties, measured: Measured): boolean {
  if (alarm.TreatMissingData !== 'notBreaching') throw new Error(`${alarm.TreatMissingData} is not known here.`);
  const values = valuesOf(alarm, measured);
  const breaching = values.filter((value) => value !== undefined && beyond(alarm, value));
  return breaching.length >= alarm.DatapointsToAlarm;
}

function valuesOf(
  { MetricName, Period, Metrics, EvaluationPeriods: length }: AlarmProperties,
  measured: Measured,
): Series {
  const seriesOf = (name: string, period: number): Series =>
    Array.from({ length }, (_, at) => measured(name, (length - 1 - at) * period));
  if (MetricName !== undefined) return seriesOf(MetricName, Period ?? 0);
  const queries = Metrics ?? [];
  const period = queries.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 0;
  const series = new Map<string, Series>();
  for (const { Id, MetricStat } of queries) {
    if (MetricStat) series.set(Id, seriesOf(MetricStat.Metric.MetricName, period));
  }
  // The one that is watched comes first and uses the others.
  for (const { Id, Expression } of queries.toReversed()) {
    if (Expression !== undefined) series.set(Id, metricMath(Expression, series, period, length));
  }
  return series.get(queries.find(({ ReturnData }) => ReturnData !== false)?.Id ?? '') ?? [];
}

function beyond({ ComparisonOperator, Threshold }: AlarmProperties, value: number): boolean {
  if (ComparisonOperator === 'GreaterThanOrEqualToThreshold') return value >= Threshold;
  if (ComparisonOperator === 'LessThanOrEqualToThreshold') return value <= Threshold;
  throw new Error(`${ComparisonOperator} is not known here.`);
}
