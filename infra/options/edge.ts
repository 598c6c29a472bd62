import type { Config } from '../config.ts';
import { cloudFrontPrefixLists } from './cloudfront-prefix-lists.ts';
import type { Contradiction } from './contradiction.ts';
import { oneOf, optionalText, wholeNumber, yesNo } from './option-kinds.ts';

const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const certificate = /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/;

/** How visitors reach the site. */
export const edgeOptions = {
  domainName: optionalText(
    hostName,
    'a host name in lower case, for example moodle.example.org',
    "The name that the site is reached under; left out: the load balancer's, or CloudFront's, which has HTTPS.",
  ),
  hostedZoneId: optionalText(
    /^Z[A-Z0-9]{1,31}$/,
    'the id of a public hosted zone of Route 53, for example Z0123456789ABCDEFGHIJ',
    'The zone that gets the alias of domainName, and what proves certificates; left out: you point your DNS yourself.',
  ),
  hostedZoneName: optionalText(
    hostName,
    'the name of hostedZoneId, for example example.org',
    'The name of hostedZoneId: domainName itself, or what it ends with.',
  ),
  certificateArn: optionalText(
    certificate,
    'the ARN of an ACM certificate in the region of the site',
    'The certificate of domainName at the load balancer; left out: one is made where there is a hosted zone.',
  ),
  allowHttp: yesNo({
    doc: 'Whether the site may be served without HTTPS when it has no certificate.',
    dev: true,
    prod: false,
  }),
  stickiness: yesNo({
    doc: 'Whether the load balancer keeps a visitor on one node, as Shibboleth wants it; Moodle does not need it.',
    dev: false,
    prod: false,
  }),
  cloudFront: yesNo({
    doc: 'Whether CloudFront stands before the load balancer, which then takes requests from nobody else.',
    dev: false,
    prod: false,
  }),
  cloudFrontOrigin: oneOf(['vpc-origin', 'secret-header'], {
    doc: 'How CloudFront reaches the load balancer: inside the network, or over the internet with a secret header.',
    dev: 'vpc-origin',
    prod: 'vpc-origin',
  }),
  cloudFrontCertificateArn: optionalText(
    certificate,
    'the ARN of an ACM certificate in us-east-1',
    'The certificate of domainName at CloudFront; left out: one is made where there is a hosted zone.',
  ),
  cloudFrontPrefixList: optionalText(
    /^pl-[0-9a-f]{8,17}$/,
    "the id of CloudFront's prefix list in the region, for example pl-4fa04526",
    'Which addresses are CloudFront; left out: the list of the region, where this app knows it.',
  ),
  originTimeoutSeconds: wholeNumber(1, 180, {
    doc: "How long CloudFront waits for a node's answer; AWS grants more than 120 on request. The load balancer waits 60 at least.",
    dev: 60,
    prod: 60,
  }),
  waf: yesNo({
    doc: 'Whether AWS WAF refuses known attacks, bad addresses and floods, at CloudFront or else at the load balancer.',
    dev: false,
    prod: true,
  }),
  wafRateLimit: wholeNumber(100, 2_000_000, {
    doc: 'How many requests one address may make in five minutes; a school can sit behind a single one.',
    dev: 20_000,
    prod: 20_000,
  }),
} as const;

type EdgeConfig = Pick<
  Config,
  'domainName' | 'hostedZoneId' | 'certificateArn' | 'cloudFront' | 'cloudFrontCertificateArn'
>;

/** Where the certificate of the load balancer comes from; undefined: it has none. */
export function balancerCertificate({
  domainName,
  hostedZoneId,
  certificateArn,
}: EdgeConfig): 'given' | 'made' | undefined {
  if (certificateArn !== undefined) return 'given';
  return domainName !== undefined && hostedZoneId !== undefined ? 'made' : undefined;
}

/** The same for CloudFront's own for domainName; undefined: it has the one of its own name. */
export function viewerCertificate({
  domainName,
  hostedZoneId,
  cloudFront,
  cloudFrontCertificateArn,
}: EdgeConfig): 'given' | 'made' | undefined {
  if (!cloudFront) return undefined;
  if (cloudFrontCertificateArn !== undefined) return 'given';
  return domainName !== undefined && hostedZoneId !== undefined ? 'made' : undefined;
}

export const edgeContradictions: readonly Contradiction[] = [
  ({ certificateArn, domainName }) =>
    certificateArn !== undefined && domainName === undefined
      ? 'Option certificateArn needs domainName: the name that the certificate is for.'
      : undefined,
  ({ certificateArn, region }) =>
    certificateArn !== undefined && certificateArn.split(':')[3] !== region
      ? `Option certificateArn cannot be "${certificateArn}" with region=${region}. ` +
        `Allowed: ${edgeOptions.certificateArn.allowed}.`
      : undefined,
  ({ hostedZoneId, hostedZoneName, domainName }) =>
    (hostedZoneId === undefined) !== (hostedZoneName === undefined) ||
    (hostedZoneId !== undefined && domainName === undefined)
      ? 'Options hostedZoneId, hostedZoneName and domainName need each other: which zone, what it is called, and which ' +
        'name in it is the site.'
      : undefined,
  ({ hostedZoneName, domainName }) =>
    hostedZoneName !== undefined && domainName !== hostedZoneName && !domainName?.endsWith(`.${hostedZoneName}`)
      ? `Option domainName cannot be ${domainName} with hostedZoneName=${hostedZoneName}. ` +
        `Allowed: ${hostedZoneName} and names that end with .${hostedZoneName}.`
      : undefined,
  ({ cloudFrontCertificateArn, cloudFront, domainName }) =>
    cloudFrontCertificateArn !== undefined && !(cloudFront && domainName !== undefined)
      ? 'Option cloudFrontCertificateArn needs cloudFront=true and domainName: the name that the certificate is for.'
      : undefined,
  ({ cloudFrontCertificateArn }) =>
    cloudFrontCertificateArn !== undefined && cloudFrontCertificateArn.split(':')[3] !== 'us-east-1'
      ? `Option cloudFrontCertificateArn cannot be "${cloudFrontCertificateArn}": CloudFront takes certificates from ` +
        `us-east-1 alone. Allowed: ${edgeOptions.cloudFrontCertificateArn.allowed}.`
      : undefined,
  (config) =>
    config.cloudFront && config.domainName !== undefined && viewerCertificate(config) === undefined
      ? `Option cloudFront cannot be true with domainName=${config.domainName} alone: CloudFront needs a certificate for ` +
        'it. Give cloudFrontCertificateArn, or hostedZoneId and hostedZoneName to have one made.'
      : undefined,
  (config) =>
    config.cloudFront &&
    config.cloudFrontOrigin === 'secret-header' &&
    balancerCertificate(config) === undefined &&
    !config.allowHttp
      ? 'Option cloudFrontOrigin cannot be secret-header without a certificate at the load balancer: passwords would cross ' +
        'the internet in the open. Give domainName with certificateArn or hostedZoneId, or use vpc-origin.'
      : undefined,
  ({ cloudFront, region, cloudFrontPrefixList }) =>
    cloudFront && cloudFrontPrefixList === undefined && !cloudFrontPrefixLists.has(region)
      ? `Option cloudFront needs cloudFrontPrefixList with region=${region}. It is what this prints: ` +
        `aws ec2 describe-managed-prefix-lists --region ${region} --filters ` +
        'Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing --query PrefixLists[].PrefixListId'
      : undefined,
  ({ cloudFront, cloudFrontPrefixList }) =>
    cloudFrontPrefixList !== undefined && !cloudFront
      ? 'Option cloudFrontPrefixList needs cloudFront=true.'
      : undefined,
  (config) =>
    !config.cloudFront && balancerCertificate(config) === undefined && !config.allowHttp
      ? 'Without certificateArn the site would be served over HTTP, in the open. Give -c domainName=… with ' +
        '-c certificateArn=… or -c hostedZoneId=… -c hostedZoneName=…, or use -c cloudFront=true, or allow it with ' +
        '-c allowHttp=true.'
      : undefined,
];
