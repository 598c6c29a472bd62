import { ArnFormat, Names, Stack } from 'aws-cdk-lib';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { firewallRules, visibility } from './firewall-rules.ts';
import { logGroup } from './logs.ts';

/** What AWS WAF lets through to the site. Level 1: CDK has no other. */
export class Firewall extends Construct {
  readonly webAclArn: string;

  /** @param where `CLOUDFRONT` only in a stack of us-east-1 */
  constructor(scope: Construct, id: string, where: 'REGIONAL' | 'CLOUDFRONT', config: Config) {
    super(scope, id);
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: where,
      description: `Moodle ${config.site}`,
      defaultAction: { allow: {} },
      rules: firewallRules(config.wafRateLimit),
      visibilityConfig: visibility('All'),
    });
    this.webAclArn = acl.attrArn;
    // WAF writes only to logs whose names begin so; the rest is as unique as a generated name.
    const name = `aws-waf-logs-${Names.uniqueResourceName(this, { maxLength: 60 })}`;
    const logs = logGroup(this, 'Logs', config.logRetentionDays, name);
    new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Not the group's own ARN, which ends with a star that WAF does not take.
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logs.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      // Sessions, tokens and keys are none of a log's business.
      redactedFields: [
        { singleHeader: { Name: 'cookie' } },
        { singleHeader: { Name: 'authorization' } },
        { queryString: {} },
      ],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }, { ActionCondition: { Action: 'COUNT' } }],
          },
        ],
      },
    });
  }

  protect(alb: elb.IApplicationLoadBalancer): void {
    new wafv2.CfnWebACLAssociation(this, 'Association', {
      resourceArn: alb.loadBalancerArn,
      webAclArn: this.webAclArn,
    });
  }
}
