import * as cloudtrail from 'aws-cdk-lib/aws-cloudtrail';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../../config.ts';
import { logGroup } from '../logs.ts';
import { LogBucket } from './log-bucket.ts';

/**
 * Who changed what in this account: every management call, with digests that show whether a file was altered
 * afterwards.
 */
export class Trail extends Construct {
  constructor(scope: Construct, id: string, { config, key }: { readonly config: Config; readonly key: kms.IKey }) {
    super(scope, id);
    new cloudtrail.Trail(this, 'Trail', {
      bucket: new LogBucket(this, 'Bucket', config).bucket,
      encryptionKey: key,
      enableFileValidation: true,
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      managementEvents: cloudtrail.ReadWriteType.ALL,
      sendToCloudWatchLogs: true,
      cloudWatchLogGroup: logGroup(this, 'Logs', config.logRetentionDays),
    });
  }
}
