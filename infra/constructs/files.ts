import { RemovalPolicy, Size } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { nodeZonesOf } from '../options/network.ts';
import type { Network } from './network.ts';

/** The user that PHP runs as in the image (www-data in Debian). */
const owner = { uid: '33', gid: '33' };

/** What the nodes share: Moodle's data folder. Encrypted, mounted over TLS, and only by roles that were granted it. */
export class Files extends Construct {
  readonly fileSystem: efs.FileSystem;
  readonly accessPoint: efs.AccessPoint;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Shared files',
      allowAllOutbound: false,
    });
    this.fileSystem = new efs.FileSystem(this, 'FileSystem', {
      vpc: network.vpc,
      vpcSubnets: network.storeSubnets,
      securityGroup,
      encrypted: true,
      ...throughput(config),
      ...infrequentAccess(config),
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      fileSystemPolicy: overTlsOnly(),
    });
    const resource = this.fileSystem.node.defaultChild as efs.CfnFileSystem;
    // EFS's own plan is on by itself in one zone; the backups of the site are made together with its database's.
    resource.backupPolicy = { status: 'DISABLED' };
    // CDK's `oneZone` would choose the subnet too, and take one that has a way out.
    const [zone] = nodeZonesOf(config);
    if (config.filesZones === 'one-zone' && zone !== undefined) resource.availabilityZoneName = zone;
    if (!config.backups) {
      acknowledge(this, 'NIST.800.53.R5-EFSInBackupPlan', 'backups=false: the site does without a copy of its files.');
    }
    this.accessPoint = this.fileSystem.addAccessPoint('Data', {
      path: '/moodledata',
      posixUser: owner,
      createAcl: { ownerUid: owner.uid, ownerGid: owner.gid, permissions: '0770' },
    });
  }

  allowFrom(client: ec2.IConnectable): void {
    this.fileSystem.connections.allowDefaultPortFrom(client);
  }

  grantMount(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
      resourceArns: [this.fileSystem.fileSystemArn],
      conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': this.accessPoint.accessPointArn } },
    });
  }
}

function throughput({ filesThroughput, filesProvisionedMiBps }: Config) {
  return filesThroughput === 'provisioned'
    ? {
        throughputMode: efs.ThroughputMode.PROVISIONED,
        provisionedThroughputPerSecond: Size.mebibytes(filesProvisionedMiBps),
      }
    : { throughputMode: filesThroughput === 'elastic' ? efs.ThroughputMode.ELASTIC : efs.ThroughputMode.BURSTING };
}

function infrequentAccess({ filesInfrequentAccessDays: days }: Config) {
  return days === 0
    ? {}
    : {
        lifecyclePolicy: efs.LifecyclePolicy[`AFTER_${days}_DAYS` as keyof typeof efs.LifecyclePolicy],
        outOfInfrequentAccessPolicy: efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
      };
}

/** A policy that allows nothing replaces EFS's default, which lets in whoever reaches a mount target. */
function overTlsOnly(): iam.PolicyDocument {
  return new iam.PolicyDocument({
    statements: [
      new iam.PolicyStatement({
        sid: 'OverTlsOnly',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    ],
  });
}
