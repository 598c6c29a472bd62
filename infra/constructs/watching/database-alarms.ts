import { Duration } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../../config.ts';
import type { Database } from '../database.ts';
import { mostConnections } from './database-connections.ts';
import { databaseMetric } from './metrics.ts';
import { type SiteAlarmProps, siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface DatabaseAlarmsProps {
  readonly config: Config;
  readonly database: Database;
  readonly topic: sns.ITopic;
}

/**
 * The database at its limits. What happens to it at a moment, for example a failover, RDS tells by itself. A database
 * that pauses gives no data, and sets nothing off.
 */
export class DatabaseAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { config, database, topic }: DatabaseAlarmsProps) {
    super(scope, id);
    const { cpuPercent, capacityPercent, connectionsPercent, freeStoragePercent, minutes } = thresholds.database;
    const most = mostConnections(config);
    const lasting = {
      period: Duration.minutes(5),
      lasting: Duration.minutes(minutes),
      comparison: 'at least',
    } as const;
    const wanted: Record<string, SiteAlarmProps> = {
      Cpu: {
        ...lasting,
        title: 'database processor',
        says: `The database uses ${cpuPercent} percent of its processors and more, for ${minutes} minutes.`,
        metric: databaseMetric(database, 'CPUUtilization'),
        threshold: cpuPercent,
      },
      Connections: {
        ...lasting,
        title: 'database connections',
        says: `${connectionsPercent} percent of the ${most} connections that the database allows are taken, for ${minutes} minutes.`,
        metric: databaseMetric(database, 'DatabaseConnections', { statistic: Stats.MAXIMUM }),
        threshold: Math.floor((most * connectionsPercent) / 100),
      },
    };
    if (database.kind === 'cluster' && config.databaseCapacity === 'serverless') {
      wanted.Capacity = {
        ...lasting,
        title: 'database capacity',
        says: `The database is at ${capacityPercent} percent of its most capacity (${config.databaseMaxCapacity} units) and more, for ${minutes} minutes.`,
        metric: databaseMetric(database, 'ACUUtilization'),
        threshold: capacityPercent,
      };
    }
    // Aurora's storage grows by itself up to 128 TiB.
    if (database.kind === 'instance') {
      const bytes = Math.floor((config.databaseStorageGiB * 1024 ** 3 * freeStoragePercent) / 100);
      wanted.Storage = {
        ...lasting,
        title: 'database storage',
        says: `Less storage is free than ${freeStoragePercent} percent of the ${config.databaseStorageGiB} GiB that the database began with, for ${minutes} minutes.`,
        metric: databaseMetric(database, 'FreeStorageSpace', { statistic: Stats.MINIMUM }),
        comparison: 'at most',
        threshold: bytes,
      };
    }
    this.alarms = Object.entries(wanted).map(([name, props]) => siteAlarm(this, name, props));
    for (const alarm of this.alarms) tell(alarm, topic);
  }
}
