import { Duration, Names } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, VpcOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { hstsSeconds, type LoadBalancer, originHeader } from './load-balancer.ts';

export interface SiteDistributionProps {
  readonly config: Config;
  readonly loadBalancer: LoadBalancer;
  /** Of the site's name, from us-east-1; absent: the distribution's own name has one. */
  readonly certificate: acm.ICertificate | undefined;
  /** Of a web ACL for CloudFront, from us-east-1. */
  readonly webAclArn: string | undefined;
  /** Where its access logs go, if anywhere. CloudFront writes with access control lists. */
  readonly logs: s3.IBucket | undefined;
}

/**
 * What Moodle gives a version in the path: it says by itself how long each answer may be kept. No stored file is among
 * them, because Moodle decides at each request who may see it.
 */
const versionedPaths = [
  '/theme/styles.php*',
  '/theme/image.php*',
  '/theme/font.php*',
  '/theme/javascript.php*',
  '/theme/yui_combo.php*',
  '/theme/yui_image.php*',
  '/lib/javascript.php*',
  '/lib/requirejs.php*',
  '/lib/editor/tiny/loader.php*',
  '/lib/editor/tiny/lang.php*',
];

/** Characters that CloudFront allows. Of a VPC origin the console says 64, which is also where CDK cuts names of its own. */
const longestNames = { VpcOrigin: 64, SecurityHeaders: 128 };

/** CloudFront before the load balancer: HTTPS near the visitor, and a cache for what Moodle calls immutable. */
export class SiteDistribution extends Construct {
  readonly distribution: cloudfront.Distribution;

  constructor(scope: Construct, id: string, props: SiteDistributionProps) {
    super(scope, id);
    const { config, loadBalancer, certificate, webAclArn, logs } = props;
    const { domainName } = config;
    const behaviour = {
      origin: this.#origin(loadBalancer, config),
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      responseHeadersPolicy: this.#securityHeaders(config),
    };
    const cached: cloudfront.BehaviorOptions = {
      ...behaviour,
      cachePolicy: this.#asMoodleSays(config),
      allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD,
      compress: true,
    };
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `Moodle ${config.site}`,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      ...(domainName !== undefined && certificate && { domainNames: [domainName], certificate }),
      ...(webAclArn !== undefined && { webAclId: webAclArn }),
      ...(logs && { logBucket: logs, logFilePrefix: 'cloudfront/', logIncludesCookies: false }),
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      defaultBehavior: {
        ...behaviour,
        allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
        cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
        // The name that the visitor used, with cookies and all: Moodle compares it with its own.
        originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER,
        compress: false,
      },
      additionalBehaviors: Object.fromEntries(versionedPaths.map((path) => [path, cached])),
      // CloudFront would keep an error for ten seconds, and so the page of a maintenance that is over.
      errorResponses: [400, 403, 404, 405, 500, 501, 502, 503, 504].map((httpStatus) => ({
        httpStatus,
        ttl: Duration.seconds(0),
      })),
    });
    if (logs === undefined) acknowledge(this, 'AwsSolutions-CFR3', 'An option, accessLogs.');
    if (certificate === undefined) {
      acknowledge(
        this,
        'AwsSolutions-CFR4',
        'Under its own name CloudFront has its own certificate and choice of TLS.',
      );
    }
  }

  /** Nothing is kept that Moodle did not say may be: without such words the time is 0. */
  #asMoodleSays({ site }: Config): cloudfront.CachePolicy {
    return new cloudfront.CachePolicy(this, 'VersionedFiles', {
      comment: `Versioned files of ${site}, as long as Moodle says`,
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.days(365),
      cookieBehavior: cloudfront.CacheCookieBehavior.none(),
      // Also passed on to Moodle, which compares it with its own name.
      headerBehavior: cloudfront.CacheHeaderBehavior.allowList('Host'),
      queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
      enableAcceptEncodingGzip: true,
      enableAcceptEncodingBrotli: true,
    });
  }

  /** No word about frames: Moodle writes that itself, and lets administrators decide. */
  #securityHeaders(config: Config): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'SecurityHeaders', {
      comment: `Security headers of ${config.site}`,
      responseHeadersPolicyName: this.#name('SecurityHeaders', config),
      removeHeaders: ['Server'],
      securityHeadersBehavior: {
        strictTransportSecurity: { accessControlMaxAge: Duration.seconds(hstsSeconds), override: true },
        contentTypeOptions: { override: true },
        referrerPolicy: {
          referrerPolicy: cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
          override: false,
        },
      },
    });
  }

  #origin({ alb, scheme, originSecret }: LoadBalancer, config: Config): cloudfront.IOrigin {
    const common = {
      protocolPolicy:
        scheme === 'https' ? cloudfront.OriginProtocolPolicy.HTTPS_ONLY : cloudfront.OriginProtocolPolicy.HTTP_ONLY,
      originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
      readTimeout: Duration.seconds(config.originTimeoutSeconds),
      // Shorter than the load balancer's, which would else close a connection that a request is just sent on.
      keepaliveTimeout: Duration.seconds(30),
    };
    return originSecret === undefined
      ? VpcOrigin.withApplicationLoadBalancer(alb, { ...common, vpcOriginName: this.#name('VpcOrigin', config) })
      : new HttpOrigin(alb.loadBalancerDnsName, {
          ...common,
          // CloudFormation fetches the value itself: it is in no template.
          customHeaders: { [originHeader]: originSecret.secretValue.unsafeUnwrap() },
        });
  }

  /** CloudFront has one name space for all regions, so the region is part of the name. */
  #name(what: keyof typeof longestNames, { region }: Config): string {
    const end = `-${what}-${region}`;
    const maxLength = Math.min(80, longestNames[what] - end.length);
    return `${Names.uniqueResourceName(this, { maxLength })}${end}`;
  }
}
