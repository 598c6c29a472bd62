import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { eventBridge, publishersForAccount } from './watching-key.ts';

export interface NotificationsProps {
  readonly site: string;
  readonly key: kms.IKey;
  readonly email: string | undefined;
}

/**
 * Where the operator is told: rollouts that failed, alarms, and what RDS says of the database. Encrypted, and over TLS
 * alone. State machines publish by their role, services of AWS by the policy here.
 */
export class Notifications extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { site, key, email }: NotificationsProps) {
    super(scope, id);
    // The name that an e-mail shows as its sender.
    this.topic = new sns.Topic(this, 'Topic', { displayName: `Moodle ${site}`, masterKey: key, enforceSSL: true });
    const publish = (sid: string, services: readonly string[], conditions: Record<string, unknown> = {}) =>
      new iam.PolicyStatement({
        sid,
        principals: services.map((service) => new iam.ServicePrincipal(service)),
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions,
      });
    const forAccount = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    this.topic.addToResourcePolicy(publish('Publishers', publishersForAccount, forAccount));
    this.topic.addToResourcePolicy(publish('Rules', [eventBridge]));
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
  }
}
