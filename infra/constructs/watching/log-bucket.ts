import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';
import type { Config } from '../../config.ts';

/**
 * A bucket for what AWS's services write about the site. Encrypted, over TLS alone, never public, and each object goes
 * after the days that logs are kept. With keepData it outlives the stack, so that a trail of it is left.
 */
export class LogBucket extends Construct {
  readonly bucket: s3.IBucket;

  /** @param ownership of what services write; CloudFront's own logs need access control lists, nothing else does */
  constructor(
    scope: Construct,
    id: string,
    { keepData, logRetentionDays }: Pick<Config, 'keepData' | 'logRetentionDays'>,
    ownership = s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  ) {
    super(scope, id);
    const bucket = new s3.Bucket(this, 'Bucket', {
      // The load balancer can write with no other encryption.
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ownership,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        { expiration: Duration.days(logRetentionDays), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      autoDeleteObjects: !keepData,
    });
    this.bucket = bucket as s3.IBucket;
    const written =
      'Written once by a service of AWS and read by people: a version, a copy or a log of it tells no more.';
    acknowledge(this, 'AwsSolutions-S1', written);
    acknowledge(this, 'NIST.800.53.R5-S3BucketLoggingEnabled', written);
    acknowledge(this, 'NIST.800.53.R5-S3BucketReplicationEnabled', written);
    acknowledge(this, 'NIST.800.53.R5-S3BucketVersioningEnabled', written);
    acknowledge(
      this,
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
      'A load balancer writes its logs with the encryption of S3 alone (its guide, "Access logs").',
    );
  }
}
