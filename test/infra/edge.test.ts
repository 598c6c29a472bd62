import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { type Resource, type Synthesised, synthesised, synthesisedFrom, zone } from './synthesised.ts';

const certificate = (region: string) =>
  `arn:aws:acm:${region}:123456789012:certificate/11111111-2222-3333-4444-555555555555`;

const ofType = ({ resources }: Synthesised, type: string) => resources.filter(({ Type }) => Type === type);

const siteAddress = ({ platform }: Synthesised) => platform.toJSON().Outputs.SiteAddress.Value;

/** What nodes and functions are told. */
function addressesTold(site: Synthesised): Set<string> {
  const nodes = ofType(site, 'AWS::ECS::TaskDefinition').map(
    ({ Properties }) =>
      Properties.ContainerDefinitions[0].Environment.find(({ Name }: { Name: string }) => Name === 'MOODLE_WWWROOT')
        .Value,
  );
  return new Set(nodes.map((value) => JSON.stringify(value)));
}

describe('a certificate at the load balancer', () => {
  const site = synthesised('prod');

  it('TLS 1.3 and 1.2 with a key exchange for later, and HTTP only to send to HTTPS', () => {
    site.platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
      ListenerAttributes: Match.arrayWith([
        { Key: 'routing.http.response.strict_transport_security.header_value', Value: 'max-age=31536000' },
      ]),
    });
    site.platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
      ],
    });
  });

  it('a firewall of the region before the load balancer', () => {
    site.platform.hasResourceProperties('AWS::WAFv2::WebACL', { Scope: 'REGIONAL' });
    site.platform.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      ResourceArn: { Ref: Match.stringLikeRegexp('^LoadBalancerAlb') },
    });
    expect(site.edge).toBeUndefined();
  });

  it('everybody is told the name of the site', () => {
    expect(siteAddress(site)).toBe('https://moodle.example.org');
    expect(addressesTold(site)).toEqual(new Set(['"https://moodle.example.org"']));
  });
});

describe('a zone', () => {
  it.each(['example.org', 'moodle.example.org', 'a.deep.name.example.org'])(
    'an alias for %s, and a certificate that the zone proves',
    (domainName) => {
      const site = synthesisedFrom({ ...zone, domainName });
      const records = ofType(site, 'AWS::Route53::RecordSet').map(({ Properties }) => [
        Properties.Type,
        Properties.Name,
        Properties.AliasTarget.DNSName['Fn::Join'][1][0],
      ]);
      expect(records).toEqual([['A', `${domainName}.`, 'dualstack.']]);
      site.platform.hasResourceProperties('AWS::CertificateManager::Certificate', {
        DomainName: domainName,
        ValidationMethod: 'DNS',
        DomainValidationOptions: [{ DomainName: domainName, HostedZoneId: zone.hostedZoneId }],
      });
      expect(siteAddress(site)).toBe(`https://${domainName}`);
    },
  );
});

describe('CloudFront before a load balancer inside the network', () => {
  const site = synthesised('CloudFront and a zone');
  const { platform, edge, lifecycle } = site;
  const [distribution] = ofType(site, 'AWS::CloudFront::Distribution').map(
    ({ Properties }) => Properties.DistributionConfig,
  );

  it('nothing of the site has a public address, and CloudFront alone is let in', () => {
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' });
    platform.hasResourceProperties('AWS::CloudFront::VpcOrigin', {
      VpcOriginEndpointConfig: Match.objectLike({
        OriginProtocolPolicy: 'https-only',
        OriginSSLProtocols: ['TLSv1.2'],
      }),
    });
    const ways = ofType(site, 'AWS::EC2::SecurityGroupIngress').map(({ Properties }) => Properties);
    expect(ways.filter(({ SourceSecurityGroupId }) => !SourceSecurityGroupId)).toMatchObject([
      { SourcePrefixListId: 'pl-4fa04526', FromPort: 443, ToPort: 443 },
    ]);
    for (const { Properties } of site.resources.filter(({ Type }) => Type === 'AWS::EC2::SecurityGroup')) {
      expect(Properties.SecurityGroupIngress).toBeUndefined();
    }
  });

  it("leaves the client's address as CloudFront wrote it, and waits as long as CloudFront", () => {
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'idle_timeout.timeout_seconds', Value: '180' },
        { Key: 'routing.http.xff_header_processing.mode', Value: 'preserve' },
      ]),
    });
    expect(distribution.Origins).toMatchObject([{ VpcOriginConfig: { OriginReadTimeout: 180 } }]);
  });

  it('keeps nothing but versioned files, and of those what Moodle says', () => {
    const cached = distribution.CacheBehaviors.map(({ PathPattern }: { PathPattern: string }) => PathPattern);
    const isCached = (path: string) =>
      cached.some((pattern: string) =>
        new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(path),
      );
    for (const path of [
      '/theme/styles.php/boost/1700000000_1/all',
      '/theme/yui_combo.php?rollup/3.18.1/yui-moodlesimple-min.js',
      '/lib/requirejs.php/1700000000/core/first.js',
      '/lib/editor/tiny/loader.php/1700000000/tinymce.min.js',
    ]) {
      expect(isCached(path), path).toBe(true);
    }
    for (const path of [
      '/',
      '/login/index.php',
      '/my/',
      '/pluginfile.php/5/course/overviewfiles/picture.png',
      '/draftfile.php/5/user/draft/1/essay.odt',
      '/tokenpluginfile.php/secret/5/user/icon/f1',
      '/lib/ajax/service.php?sesskey=x',
      '/webservice/rest/server.php',
      '/theme/index.php',
      '/course/view.php?id=2',
      '/health/ready',
    ]) {
      expect(isCached(path), path).toBe(false);
    }
    // CachingDisabled and AllViewer, by AWS's own ids.
    expect(distribution.DefaultCacheBehavior).toMatchObject({
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      OriginRequestPolicyId: '216adef6-5c7f-47e4-b989-5492eafa07d3',
      ViewerProtocolPolicy: 'redirect-to-https',
    });
    platform.hasResourceProperties('AWS::CloudFront::CachePolicy', {
      CachePolicyConfig: Match.objectLike({
        MinTTL: 0,
        DefaultTTL: 0,
        ParametersInCacheKeyAndForwardedToOrigin: Match.objectLike({
          CookiesConfig: { CookieBehavior: 'none' },
          HeadersConfig: { HeaderBehavior: 'whitelist', Headers: ['Host'] },
        }),
      }),
    });
    for (const { ErrorCachingMinTTL } of distribution.CustomErrorResponses) expect(ErrorCachingMinTTL).toBe(0);
  });

  it('tells browsers to ask for HTTPS, and says nothing about frames, which Moodle does', () => {
    const [policy] = ofType(site, 'AWS::CloudFront::ResponseHeadersPolicy');
    expect(policy?.Properties.ResponseHeadersPolicyConfig.SecurityHeadersConfig).toEqual({
      ContentTypeOptions: { Override: true },
      ReferrerPolicy: { Override: false, ReferrerPolicy: 'strict-origin-when-cross-origin' },
      StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000, Override: true },
    });
  });

  it('has its certificate and its firewall in us-east-1, in a stack that two sites do not share', () => {
    edge?.hasResourceProperties('AWS::CertificateManager::Certificate', { DomainName: zone.domainName });
    edge?.hasResourceProperties('AWS::WAFv2::WebACL', { Scope: 'CLOUDFRONT' });
    platform.resourceCountIs('AWS::WAFv2::WebACL', 0);
    expect(distribution.Aliases).toEqual([zone.domainName]);
    expect(distribution.ViewerCertificate).toMatchObject({
      MinimumProtocolVersion: 'TLSv1.2_2021',
      SslSupportMethod: 'sni-only',
    });
    expect(JSON.stringify(edge?.toJSON())).toContain('/cdk/exports/DemoPlatform/DemoEdgeEuWest1');
  });

  it('points the name at CloudFront, over both kinds of addresses', () => {
    const records = ofType(site, 'AWS::Route53::RecordSet').map(({ Properties }) => [Properties.Type, Properties.Name]);
    expect(records).toEqual([
      ['A', 'moodle.example.org.'],
      ['AAAA', 'moodle.example.org.'],
    ]);
  });

  it('keeps visitors on their node, also once sessions have moved', () => {
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      TargetGroupAttributes: Match.arrayWith([
        { Key: 'stickiness.enabled', Value: 'true' },
        { Key: 'stickiness.lb_cookie.duration_seconds', Value: '28800' },
      ]),
    });
    const told = Object.values(lifecycle.findResources('AWS::Lambda::Function') as Record<string, Resource>)
      .map(({ Properties }) => Properties.Environment.Variables.STICKY_SECONDS)
      .filter((seconds) => seconds !== undefined);
    expect(new Set(told)).toEqual(new Set(['28800']));
  });
});

describe('CloudFront without a name of the site', () => {
  it('serves HTTPS under its own name, which everybody is told, without a word about HTTP', () => {
    const site = synthesisedFrom({ config: 'prod', cloudFront: 'true', waf: 'false' });
    const [distribution] = ofType(site, 'AWS::CloudFront::Distribution');
    const address = { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [distribution?.id, 'DomainName'] }]] };
    expect(siteAddress(site)).toEqual(address);
    expect(addressesTold(site)).toEqual(new Set([JSON.stringify(address)]));
    expect(distribution?.Properties.DistributionConfig).not.toHaveProperty('Aliases');
    expect(site.edge).toBeUndefined();
  });
});

describe('CloudFront before a load balancer on the internet', () => {
  const site = synthesisedFrom({
    domainName: zone.domainName,
    certificateArn: certificate('eu-west-1'),
    cloudFrontCertificateArn: certificate('us-east-1'),
    cloudFront: 'true',
    cloudFrontOrigin: 'secret-header',
  });

  it('refuses who does not know the secret, also from CloudFront', () => {
    site.platform.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    site.platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: Match.objectLike({ StatusCode: '403' }) }],
    });
    const [rule] = ofType(site, 'AWS::ElasticLoadBalancingV2::ListenerRule');
    const [distribution] = ofType(site, 'AWS::CloudFront::Distribution');
    const [origin] = distribution?.Properties.DistributionConfig.Origins ?? [];
    const [condition] = rule?.Properties.Conditions ?? [];
    expect(origin.CustomOriginConfig).toMatchObject({ OriginProtocolPolicy: 'https-only' });
    expect(origin.OriginCustomHeaders[0].HeaderName).toBe(condition.HttpHeaderConfig.HttpHeaderName);
    expect([origin.OriginCustomHeaders[0].HeaderValue]).toEqual(condition.HttpHeaderConfig.Values);
    const ingress = ofType(site, 'AWS::EC2::SecurityGroupIngress').map(({ Properties }) => Properties);
    expect(ingress.filter(({ SourceSecurityGroupId }) => !SourceSecurityGroupId)).toMatchObject([
      { SourcePrefixListId: 'pl-4fa04526', FromPort: 443 },
    ]);
  });

  it('has CloudFormation fetch the secret, so that it is in no template', () => {
    const [secret] = site.resources.filter(({ id }) => id.startsWith('LoadBalancerOriginSecret'));
    expect(secret?.Properties).not.toHaveProperty('SecretString');
    const uses = JSON.stringify(site.platform.toJSON()).match(
      /"\{\{resolve:secretsmanager:",\{"Ref":"LoadBalancerOriginSecret\w+"\},":SecretString:::\}\}"/g,
    );
    expect(uses).toHaveLength(2);
  });
});

describe('the firewall', () => {
  const [acl] = ofType(synthesised('prod'), 'AWS::WAFv2::WebACL');
  const rules: readonly { Name: string; Statement: Record<string, never> }[] = acl?.Properties.Rules;

  it('refuses floods, known bad addresses and known attacks', () => {
    expect(rules.map(({ Name }) => Name)).toEqual([
      'Floods',
      'AWSManagedRulesAmazonIpReputationList',
      'AWSManagedRulesCommonRuleSet',
      'AWSManagedRulesKnownBadInputsRuleSet',
      'AWSManagedRulesSQLiRuleSet',
      'AWSManagedRulesPHPRuleSet',
    ]);
    expect(rules[0]?.Statement).toMatchObject({
      RateBasedStatement: { AggregateKeyType: 'IP', Limit: 20_000, EvaluationWindowSec: 300 },
    });
  });

  it('only counts what uploads and editors set off, and nothing is left to block by mistake of the whole group', () => {
    const counted = rules.flatMap(({ Statement: { ManagedRuleGroupStatement: group } }) =>
      (
        (group as { RuleActionOverrides?: { Name: string; ActionToUse: object }[] } | undefined)?.RuleActionOverrides ??
        []
      ).map(({ Name, ActionToUse }) => [Name, Object.keys(ActionToUse)]),
    );
    for (const name of [
      'SizeRestrictions_BODY',
      'CrossSiteScripting_BODY',
      'GenericRFI_BODY',
      'GenericLFI_BODY',
      'SQLi_BODY',
      'PHPHighRiskMethodsVariables_BODY',
      'SizeRestrictions_QUERYSTRING',
      'RestrictedExtensions_URIPATH',
    ]) {
      expect(counted).toContainEqual([name, ['Count']]);
    }
    expect(JSON.stringify(rules)).not.toContain('AWSManagedRulesAdminProtectionRuleSet');
    expect(JSON.stringify(rules)).not.toContain('AWSManagedRulesAnonymousIpList');
  });

  it('logs what it refuses, without sessions and tokens, and not for ever', () => {
    const { platform } = synthesised('prod');
    platform.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
      RedactedFields: [
        { SingleHeader: { Name: 'cookie' } },
        { SingleHeader: { Name: 'authorization' } },
        { QueryString: {} },
      ],
    });
    platform.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: Match.stringLikeRegexp('^aws-waf-logs-MoodlePlatform'),
      RetentionInDays: 90,
    });
  });
});
