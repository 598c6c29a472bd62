import { ArnFormat, type CfnElement, CustomResource, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { backupSnapshotArns } from './backups.ts';
import { databaseCopyPermissions } from './database-copy-permissions.ts';
import { logGroup } from './logs.ts';
import { phaseEnvironment } from './phase-environment.ts';
import { PhaseFunction } from './phase-function.ts';

export interface LeftoversProps {
  readonly platform: PlatformStack;
  readonly config: Config;
  readonly bundles: FunctionBundles;
}

/**
 * Removes, when the platform is deleted, what updates, backups and Container Insights made beside its stacks. Only for a
 * site that keeps no data. It is deleted after what still adds to that (the backup plan, the cluster), and before what it
 * hangs on: AWS deletes no vault with recovery points, and no network in which a database stands.
 */
export class Leftovers extends Construct {
  constructor(scope: Construct, id: string, { platform, config, bundles }: LeftoversProps) {
    super(scope, id);
    const { SITE, DATABASE_ENGINE, BACKUP_VAULT_NAME } = phaseEnvironment(platform, config);
    const may = databaseCopyPermissions(platform, config);
    const insights = insightsLogPrefix(platform);
    const remove = new PhaseFunction(this, 'Remove', {
      description: `Removes what updates and backups left of ${config.site}`,
      codeFolder: bundles.folderOf('remove-leftovers'),
      timeoutSeconds: 120,
      environment: { SITE, DATABASE_ENGINE, BACKUP_VAULT_NAME, INSIGHTS_LOG_PREFIX: insights },
      permissions: [
        ...may['find snapshots'],
        ...may['remove snapshots'],
        ...may['find databases'],
        ...may['remove databases'],
        ...recoveryPointPermissions(platform),
        ...logPermissions(platform, insights),
        new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [platform.stackId] }),
      ],
      logRetentionDays: config.logRetentionDays,
    });
    const provider = this.#provider(remove.function as lambda.IFunction, config);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::Leftovers',
      serviceToken: provider.serviceToken,
    });
    resource.node.addDependency(platform.database, platform.backups.vault, platform.backups.role);
    platform.backups.plan?.node.addDependency(resource);
    platform.nodes.cluster.node.addDependency(resource);
    acknowledgeFindings(
      remove,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:(backup:.*:recovery-point:\*|rds:.*:(cluster-)?snapshot:awsbackup:\*|logs:.*:log-group:\/aws\/ecs\/containerinsights\/.*)$/,
      "AWS Backup names recovery points itself, and the function deletes those of the site's vault; ECS names the log.",
    );
  }

  /** CDK's own, which asks the function again until it is complete; its roles are made here, as those that CDK makes may write to every log. */
  #provider(remove: lambda.IFunction, { logRetentionDays }: Config): Provider {
    const logs = logGroup(this, 'ProviderLogs', logRetentionDays);
    const role = (name: string) => {
      const made = new iam.Role(this, name, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
      logs.grantWrite(made);
      return made as iam.IRole;
    };
    const provider = new Provider(this, 'Provider', {
      onEventHandler: remove,
      isCompleteHandler: remove,
      queryInterval: Duration.seconds(30),
      // CloudFormation itself waits an hour for a custom resource.
      totalTimeout: Duration.minutes(55),
      frameworkOnEventRole: role('OnEventRole'),
      frameworkCompleteAndTimeoutRole: role('CompleteRole'),
      logGroup: logs,
      disableWaiterStateMachineLogging: true,
    });
    for (const rule of [
      'AwsSolutions-SF1',
      'AwsSolutions-SF2',
      'NIST.800.53.R5-LambdaConcurrency',
      'NIST.800.53.R5-LambdaDLQ',
      'NIST.800.53.R5-LambdaInsideVPC',
    ]) {
      acknowledge(
        provider,
        rule,
        "CDK's own, for the hour of the stack's deletion; CloudFormation tells when it fails.",
      );
    }
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::<Leftovers\w+\.Arn>:\*$/,
      'The versions of one function, which has none.',
    );
    return provider;
  }
}

/** As CloudFormation names the cluster; the name itself would make the cluster outlast the custom resource. */
function insightsLogPrefix(platform: PlatformStack): string {
  const logicalId = platform.getLogicalId(platform.nodes.cluster.node.defaultChild as CfnElement);
  return `/aws/ecs/containerinsights/${platform.stackName}-${logicalId}-`;
}

function recoveryPointPermissions(platform: PlatformStack): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      actions: ['backup:ListRecoveryPointsByBackupVault'],
      resources: [platform.backups.vault.backupVaultArn],
    }),
    // AWS Backup chooses their names, and IAM cannot tell by the vault: the function deletes what its vault lists.
    new iam.PolicyStatement({
      actions: ['backup:DeleteRecoveryPoint'],
      resources: [
        platform.formatArn({
          service: 'backup',
          resource: 'recovery-point',
          resourceName: '*',
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
        ...backupSnapshotArns(platform),
      ],
    }),
  ];
}

function logPermissions(platform: PlatformStack, prefix: string): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({ actions: ['logs:DescribeLogGroups'], resources: ['*'] }),
    new iam.PolicyStatement({
      actions: ['logs:DeleteLogGroup'],
      resources: [platform.formatArn({ service: 'logs', resource: `log-group:${prefix}*` })],
    }),
  ];
}
