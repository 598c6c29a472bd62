import * as rds from 'aws-cdk-lib/aws-rds';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Database } from './database.ts';

export interface DatabaseEventsProps {
  readonly database: Database;
  readonly topic: sns.ITopic;
}

/**
 * What RDS tells the operator of the database by itself, beside the alarms: it failed, it failed over, it recovered, it
 * runs out of storage, it is due for maintenance. Not its `availability` and `notification`: a database that pauses
 * while nothing connects would write at every pause.
 */
export class DatabaseEvents extends Construct {
  constructor(scope: Construct, id: string, { database, topic }: DatabaseEventsProps) {
    super(scope, id);
    const subscribe = (name: string, sourceType: string, sourceIds: string[], eventCategories: string[]) => {
      const subscription = new rds.CfnEventSubscription(this, name, {
        snsTopicArn: topic.topicArn,
        sourceType,
        sourceIds,
        eventCategories,
      });
      // RDS tries the topic at once, so its policy has to be there.
      subscription.node.addDependency(topic);
    };
    if (database.kind === 'cluster') {
      subscribe('Cluster', 'db-cluster', [database.identifier], ['failover', 'failure', 'maintenance']);
      subscribe('Members', 'db-instance', database.cluster.instanceIdentifiers, ['failure', 'maintenance', 'recovery']);
    } else {
      subscribe(
        'Instance',
        'db-instance',
        [database.identifier],
        ['failover', 'failure', 'low storage', 'maintenance', 'recovery'],
      );
    }
  }
}
