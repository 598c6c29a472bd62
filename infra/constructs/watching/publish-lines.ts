import { type IRuleTarget, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import type * as sns from 'aws-cdk-lib/aws-sns';

/**
 * Has a rule publish lines of text. The topic's own policy lets EventBridge do so; CDK's target would add a statement for
 * each rule.
 *
 * @param lines may hold fields of the event; only such as every event of the rule has, and none that people fill in:
 *   EventBridge puts a value into a text as it is, and a quotation mark in it would keep the whole message from being sent
 */
export function publishLines(topic: sns.ITopic, lines: readonly string[]): IRuleTarget {
  return {
    bind: () => ({ id: 'Topic', arn: topic.topicArn, input: RuleTargetInput.fromMultilineText(lines.join('\n')) }),
  };
}
