import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Network } from './network.ts';

export interface FilesProps {
  readonly network: Network;
  readonly keepData: boolean;
}

/** The user that PHP runs as in the image (www-data in Debian). */
const owner = { uid: '33', gid: '33' };

/** What the nodes share: Moodle's data folder. Encrypted, mounted over TLS, and only by roles that were granted it. */
export class Files extends Construct {
  readonly fileSystem: efs.FileSystem;
  readonly accessPoint: efs.AccessPoint;

  constructor(scope: Construct, id: string, { network, keepData }: FilesProps) {
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
      throughputMode: efs.ThroughputMode.ELASTIC,
      enableAutomaticBackups: keepData,
      removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      fileSystemPolicy: overTlsOnly(),
    });
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
