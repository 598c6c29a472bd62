import { RemovalPolicy } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/**
 * A log group that expires, and that goes with its stack.
 *
 * @param name only where a service wants its logs called so
 */
export function logGroup(scope: Construct, id: string, retentionDays: number, name?: string): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    retention: retentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(name !== undefined && { logGroupName: name }),
  });
}
