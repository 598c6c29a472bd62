import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';
import type { Config } from '../../config.ts';
import { LogBucket } from './log-bucket.ts';

export interface AccessLogsProps {
  readonly config: Config;
  readonly balancer: elb.ApplicationLoadBalancer;
}

/** A line for each request to the site, in a bucket, where the options ask for it. */
export class AccessLogs extends Construct {
  /** Where CloudFront writes its own. */
  readonly ofCloudFront: s3.IBucket | undefined;

  constructor(scope: Construct, id: string, { config, balancer }: AccessLogsProps) {
    super(scope, id);
    if (config.accessLogs) {
      balancer.logAccessLogs(new LogBucket(this, 'LoadBalancer', config).bucket);
      if (config.cloudFront) {
        this.ofCloudFront = new LogBucket(this, 'CloudFront', config, s3.ObjectOwnership.OBJECT_WRITER).bucket;
      }
    } else {
      const why = 'The option accessLogs says so: nodes write a line for each request to their own log.';
      acknowledge(balancer, 'AwsSolutions-ELB2', why);
      acknowledge(balancer, 'NIST.800.53.R5-ELBLoggingEnabled', why);
    }
  }
}
