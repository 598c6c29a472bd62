import type { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';

/**
 * Rules of AWS's groups that would stop Moodle's everyday work. They only count: what a body or the name of a file looks
 * like says nothing here, where people upload what they like and write about programming.
 */
const onlyCounted = {
  AWSManagedRulesAmazonIpReputationList: [],
  AWSManagedRulesCommonRuleSet: [
    // Uploads, and pages with an editor.
    'SizeRestrictions_BODY',
    'CrossSiteScripting_BODY',
    'GenericRFI_BODY',
    'GenericLFI_BODY',
    'EC2MetaDataSSRF_BODY',
    // Several scripts asked for in one address; file names in scripts that take nine bytes a letter.
    'SizeRestrictions_QUERYSTRING',
    'SizeRestrictions_URIPATH',
    // Where to return to, as an address in the address.
    'GenericRFI_QUERYARGUMENTS',
    // Stored files that are called notes.log or settings.ini.
    'RestrictedExtensions_URIPATH',
    'RestrictedExtensions_QUERYARGUMENTS',
    // Learning tools and web services.
    'NoUserAgent_HEADER',
  ],
  AWSManagedRulesKnownBadInputsRuleSet: ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY'],
  AWSManagedRulesSQLiRuleSet: ['SQLi_BODY', 'SQLiExtendedPatterns_BODY'],
  AWSManagedRulesPHPRuleSet: ['PHPHighRiskMethodsVariables_BODY'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** 1,225 of the 1,500 capacity units that a web ACL has. AWS's list of anonymous addresses is not among them: it has Lambda's. */
export function firewallRules(requestsPerFiveMinutes: number): CfnWebACL.RuleProperty[] {
  const groups = Object.entries(onlyCounted).map(([name, counted]) => managed(name, counted));
  return [floods(requestsPerFiveMinutes), ...groups].map((rule, priority) => ({ ...rule, priority }));
}

type Rule = Omit<CfnWebACL.RuleProperty, 'priority'>;

/** Counts what costs a node something: a page for the first time asks for dozens of files under these two paths. */
function floods(limit: number): Rule {
  return {
    name: 'Floods',
    action: { block: { customResponse: { responseCode: 429 } } },
    visibilityConfig: visibility('Floods'),
    statement: {
      rateBasedStatement: {
        aggregateKeyType: 'IP',
        evaluationWindowSec: 300,
        limit,
        scopeDownStatement: {
          notStatement: {
            statement: {
              regexMatchStatement: {
                fieldToMatch: { uriPath: {} },
                regexString: '^/(theme|lib)/',
                textTransformations: [{ priority: 0, type: 'NONE' }],
              },
            },
          },
        },
      },
    },
  };
}

function managed(name: string, counted: readonly string[]): Rule {
  return {
    name,
    overrideAction: { none: {} },
    visibilityConfig: visibility(name),
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
  };
}

/** Sampled requests would show cookies, and with them sessions, to whoever may look at the firewall. */
export function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}
