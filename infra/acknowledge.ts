import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Under this type a construct's metadata holds the findings that `acknowledge` was given with a pattern. */
export const acknowledgedPatterns = 'moodle-lifecycle:acknowledged';

export interface AcknowledgedPattern {
  readonly rule: string;
  /** Source of a regular expression over what stands between the brackets of the finding. */
  readonly finding: string;
  readonly reason: string;
}

/**
 * Says why a finding of CDK's validation or of cdk-nag stands at this construct and below it.
 *
 * @param rule for example `AwsSolutions-EC23`, or with its finding `AwsSolutions-IAM5[Resource::*]`
 */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}

/**
 * The same for findings that name what they found, which CDK can only acknowledge one by one and literally: a name that
 * refers to another stack is not known before the synthesis. The tests read these.
 *
 * @param finding over what stands between the brackets, for example `^Resource::arn:aws:ssm:`
 */
export function acknowledgeFindings(construct: IConstruct, rule: string, finding: RegExp, reason: string): void {
  const pattern: AcknowledgedPattern = { rule, finding: finding.source, reason };
  construct.node.addMetadata(acknowledgedPatterns, pattern);
}
