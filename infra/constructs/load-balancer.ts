import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { Network } from './network.ts';

/** The port that the web server of a node listens on. */
export const nodePort = 8080;

/** The way in: HTTPS when there is a certificate, else HTTP. */
export class LoadBalancer extends Construct {
  readonly alb: elb.ApplicationLoadBalancer;
  readonly targetGroup: elb.ApplicationTargetGroup;
  /** Address of the site, without a slash at the end. */
  readonly siteUrl: string;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `Load balancer of ${config.site}`,
      allowAllOutbound: false,
    });
    this.alb = new elb.ApplicationLoadBalancer(this, 'Alb', {
      vpc: network.vpc,
      vpcSubnets: network.publicSubnets,
      internetFacing: true,
      securityGroup,
      dropInvalidHeaderFields: true,
      deletionProtection: config.keepData,
    });
    this.targetGroup = new elb.ApplicationTargetGroup(this, 'Nodes', {
      vpc: network.vpc,
      targetType: elb.TargetType.IP,
      protocol: elb.ApplicationProtocol.HTTP,
      port: nodePort,
      deregistrationDelay: Duration.seconds(config.deregistrationDelaySeconds),
      healthCheck: {
        // Answered by the web server alone: maintenance mode is not ill health.
        path: '/health/live',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
        healthyHttpCodes: '200',
      },
    });
    if (config.certificateArn === undefined) this.#serveHttp();
    else this.#serveHttps(config.certificateArn);
    const scheme = config.certificateArn === undefined ? 'http' : 'https';
    this.siteUrl = `${scheme}://${config.domainName ?? this.alb.loadBalancerDnsName}`;
  }

  #serveHttp(): void {
    this.alb.addListener('Http', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: true,
      defaultTargetGroups: [this.targetGroup],
    });
  }

  #serveHttps(certificateArn: string): void {
    this.alb.addListener('Https', {
      port: 443,
      protocol: elb.ApplicationProtocol.HTTPS,
      open: true,
      certificates: [elb.ListenerCertificate.fromArn(certificateArn)],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      defaultTargetGroups: [this.targetGroup],
    });
    this.alb.addListener('Http', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: true,
      defaultAction: elb.ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
    });
  }
}
