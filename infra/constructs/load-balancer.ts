import { Duration } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { cloudFrontPrefixLists } from '../options/cloudfront-prefix-lists.ts';
import type { Network } from './network.ts';

/** The port that the web server of a node listens on. */
export const nodePort = 8080;

/** The header by which the load balancer knows CloudFront where its address is public. */
export const originHeader = 'X-Origin-Secret';

export interface LoadBalancerProps {
  readonly network: Network;
  readonly config: Config;
  /** Of the site's name; absent: the load balancer speaks HTTP. */
  readonly certificate: acm.ICertificate | undefined;
}

/** What nodes stand behind: open to everybody, or to CloudFront alone. HTTPS when there is a certificate, else HTTP. */
export class LoadBalancer extends Construct {
  readonly alb: elb.ApplicationLoadBalancer;
  readonly targetGroup: elb.ApplicationTargetGroup;
  readonly scheme: 'http' | 'https';
  /** What requests have to carry in `originHeader`; only where CloudFront comes over the internet. */
  readonly originSecret: secretsmanager.ISecret | undefined;

  constructor(scope: Construct, id: string, { network, config, certificate }: LoadBalancerProps) {
    super(scope, id);
    const { cloudFront } = config;
    const isPublic = !cloudFront || config.cloudFrontOrigin === 'secret-header';
    this.scheme = certificate === undefined ? 'http' : 'https';
    this.alb = new elb.ApplicationLoadBalancer(this, 'Alb', {
      vpc: network.vpc,
      vpcSubnets: isPublic ? network.publicSubnets : network.privateSubnets,
      internetFacing: isPublic,
      securityGroup: new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: network.vpc,
        description: `Load balancer of ${config.site}`,
        allowAllOutbound: false,
      }),
      idleTimeout: Duration.seconds(Math.max(60, config.originTimeoutSeconds)),
      dropInvalidHeaderFields: true,
      deletionProtection: config.keepData,
      // Moodle takes the last address of X-Forwarded-For for the client's. CloudFront, which nobody gets past, has written
      // it; with CloudFront's own address behind it, Moodle would need a list of all of CloudFront's.
      ...(cloudFront && { xffHeaderProcessingMode: elb.XffHeaderProcessingMode.PRESERVE }),
    });
    this.targetGroup = targetGroup(this, network, config);
    this.originSecret = cloudFront && isPublic ? originSecret(this, config) : undefined;

    const listener = certificate === undefined ? this.#http() : this.#https(certificate);
    if (this.originSecret) refuseWithout(this.originSecret, listener, this.targetGroup);
    if (cloudFront) this.#openToCloudFront(config);
    else {
      this.alb.connections.allowFromAnyIpv4(ec2.Port.tcp(listener.port), 'Everybody');
      if (certificate) this.#redirect();
    }
    this.#acknowledge(config);
  }

  #http(): elb.ApplicationListener {
    return this.alb.addListener('Http', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: false,
      defaultAction: this.#defaultAction(),
    });
  }

  #https(certificate: acm.ICertificate): elb.ApplicationListener {
    const listener = this.alb.addListener('Https', {
      port: 443,
      protocol: elb.ApplicationProtocol.HTTPS,
      open: false,
      certificates: [elb.ListenerCertificate.fromCertificateManager(certificate)],
      // What is recorded today stays closed to the computers that are expected to break today's key exchange.
      sslPolicy: elb.SslPolicy.TLS13_12_RES_PQ,
      defaultAction: this.#defaultAction(),
    });
    listener.setAttribute('routing.http.response.strict_transport_security.header_value', `max-age=${hstsSeconds}`);
    listener.setAttribute('routing.http.response.x_content_type_options.header_value', 'nosniff');
    listener.setAttribute('routing.http.response.server.enabled', 'false');
    return listener;
  }

  #defaultAction(): elb.ListenerAction {
    return this.originSecret
      ? elb.ListenerAction.fixedResponse(403, {
          contentType: 'text/plain',
          messageBody: 'This site has another address.',
        })
      : elb.ListenerAction.forward([this.targetGroup]);
  }

  #redirect(): void {
    this.alb.addListener('Http', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: true,
      defaultAction: elb.ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
    });
  }

  #acknowledge({ cloudFront, waf, keepData }: Config): void {
    if (!cloudFront) acknowledge(this, 'AwsSolutions-EC23', 'The site is for everybody; this is its door.');
    if (cloudFront || !waf) {
      const why = cloudFront
        ? 'Requests come from CloudFront alone, where the firewall stands if there is one.'
        : 'An option: a small site may do without.';
      acknowledge(this, 'NIST.800.53.R5-ALBWAFEnabled', why);
    }
    if (!keepData) {
      acknowledge(
        this,
        'NIST.800.53.R5-ELBDeletionProtectionEnabled',
        'A site that keeps no data is to go as a whole.',
      );
    }
    const plain =
      this.scheme === 'https'
        ? 'This listener only sends visitors to HTTPS.'
        : 'An option, allowHttp, for trials; or CloudFront, which has HTTPS, comes from inside the network.';
    acknowledge(this, 'NIST.800.53.R5-ALBHttpToHttpsRedirection', plain);
    acknowledge(this, 'NIST.800.53.R5-ELBv2ACMCertificateRequired', plain);
    if (this.originSecret) {
      const why = 'A new value needs a deploy, which brings it to both ends; until then nobody would be let in.';
      acknowledge(this, 'AwsSolutions-SMG4', why);
      acknowledge(this, 'NIST.800.53.R5-SecretsManagerRotationEnabled', why);
    }
  }

  #openToCloudFront({ region, cloudFrontPrefixList }: Config): void {
    const prefixList = cloudFrontPrefixList ?? cloudFrontPrefixLists.get(region) ?? '';
    const port = ec2.Port.tcp(this.scheme === 'https' ? 443 : 80);
    this.alb.connections.allowFrom(ec2.Peer.prefixList(prefixList), port, 'CloudFront');
  }
}

/** A year: browsers then ask for HTTPS by themselves. Not for subdomains, which are somebody else's. */
export const hstsSeconds = 31_536_000;

function targetGroup(scope: Construct, network: Network, config: Config): elb.ApplicationTargetGroup {
  return new elb.ApplicationTargetGroup(scope, 'Nodes', {
    vpc: network.vpc,
    targetType: elb.TargetType.IP,
    protocol: elb.ApplicationProtocol.HTTP,
    port: nodePort,
    deregistrationDelay: Duration.seconds(config.deregistrationDelaySeconds),
    ...(config.stickiness && { stickinessCookieDuration: Duration.seconds(stickySeconds) }),
    healthCheck: {
      // Answered by the web server alone: maintenance mode is not ill health.
      path: '/health/live',
      // A node that waited for an upgrade has been ill for the load balancer, and needs two good checks: until then the
      // nodes with the code before go on serving.
      interval: Duration.seconds(5),
      timeout: Duration.seconds(4),
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 6,
      healthyHttpCodes: '200',
    },
  });
}

/** A working day: longer than a session lasts without a visit. */
export const stickySeconds = 28_800;

/** Letters and digits: a rule of the load balancer gives `*` and `?` a meaning. */
function originSecret(scope: Construct, { site }: Config): secretsmanager.ISecret {
  return new secretsmanager.Secret(scope, 'OriginSecret', {
    description: `What CloudFront shows the load balancer of ${site}`,
    generateSecretString: { passwordLength: 48, excludePunctuation: true },
  }) as secretsmanager.ISecret;
}

function refuseWithout(
  secret: secretsmanager.ISecret,
  listener: elb.ApplicationListener,
  group: elb.ApplicationTargetGroup,
): void {
  listener.addAction('FromCloudFront', {
    priority: 1,
    // CloudFormation fetches the value itself: it is in no template.
    conditions: [elb.ListenerCondition.httpHeader(originHeader, [secret.secretValue.unsafeUnwrap()])],
    action: elb.ListenerAction.forward([group]),
  });
}
