import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget, LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { LoadBalancer } from './load-balancer.ts';
import type { SiteDistribution } from './site-distribution.ts';

export interface SiteNameProps {
  readonly zone: route53.IHostedZone;
  readonly domainName: string;
  readonly loadBalancer: LoadBalancer;
  readonly distribution: SiteDistribution | undefined;
}

/** The site's name in its zone: an alias, which also the zone's own name can be. */
export class SiteName extends Construct {
  constructor(scope: Construct, id: string, { zone, domainName, loadBalancer, distribution }: SiteNameProps) {
    super(scope, id);
    const target = distribution
      ? new CloudFrontTarget(distribution.distribution)
      : new LoadBalancerTarget(loadBalancer.alb);
    const record = { zone, recordName: domainName, target: route53.RecordTarget.fromAlias(target) };
    new route53.ARecord(this, 'Ipv4', record);
    // The load balancer has no IPv6 address.
    if (distribution) new route53.AaaaRecord(this, 'Ipv6', record);
  }
}
