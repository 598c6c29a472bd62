import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';

/** Alarms and what RDS tells of the database: services that say for which account they publish. */
export const publishersForAccount = ['cloudwatch.amazonaws.com', 'events.rds.amazonaws.com'];
/**
 * Rules on events. EventBridge names no account to an encrypted topic or its key: a condition would shut it out (SNS's
 * guide, "Key management").
 */
export const eventBridge = 'events.amazonaws.com';

/**
 * The key of what watches the site: its notifications and, where the site wants it, its logs. Not AWS's own key of SNS:
 * nobody can let the publishers above use that.
 */
export class WatchingKey extends Construct {
  readonly key: kms.IKey;

  constructor(scope: Construct, id: string, config: Pick<Config, 'site' | 'keepData' | 'cloudTrail'>) {
    super(scope, id);
    const { site, keepData, cloudTrail } = config;
    const key = new kms.Key(this, 'Key', {
      description: `Notifications and logs of ${site}`,
      enableKeyRotation: true,
      // What outlives the stack, for example a trail, could not be read without it.
      removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const { account, region, partition } = Stack.of(this);
    const publish = ['kms:Decrypt', 'kms:GenerateDataKey*'];
    const logs = ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];
    // CloudWatch Logs and CloudTrail always give with their calls what they are for.
    const logGroups = `arn:${partition}:logs:${region}:${account}:log-group:*`;
    const trails = `arn:${partition}:cloudtrail:${region}:${account}:trail/*`;
    for (const statement of [
      allow('Publishers', publishersForAccount, publish, { StringEquals: { 'aws:SourceAccount': account } }),
      allow('Rules', [eventBridge], publish),
      allow('Logs', [`logs.${region}.amazonaws.com`], logs, {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups },
      }),
      ...(cloudTrail
        ? [
            allow('Trail', ['cloudtrail.amazonaws.com'], ['kms:DescribeKey', 'kms:GenerateDataKey*'], {
              ArnLike: { 'aws:SourceArn': trails },
            }),
          ]
        : []),
    ]) {
      key.addToResourcePolicy(statement);
    }
    this.key = key as kms.IKey;
  }
}

function allow(
  sid: string,
  services: readonly string[],
  actions: string[],
  conditions: Record<string, unknown> = {},
): iam.PolicyStatement {
  const principals = services.map((service) => new iam.ServicePrincipal(service));
  // In the policy of a key, `*` is the key itself.
  return new iam.PolicyStatement({ sid, principals, actions, resources: ['*'], conditions });
}
