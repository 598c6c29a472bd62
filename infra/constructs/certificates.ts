import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';

/** The zone that the options name; undefined: somebody else's DNS. */
export function hostedZone(
  scope: Construct,
  id: string,
  { hostedZoneId, hostedZoneName: zoneName }: Config,
): route53.IHostedZone | undefined {
  return hostedZoneId === undefined || zoneName === undefined
    ? undefined
    : route53.HostedZone.fromHostedZoneAttributes(scope, id, { hostedZoneId, zoneName });
}

/**
 * The certificate of the site's name in the region of the stack: the given one, or one that the zone proves and renews.
 * Undefined where there is neither.
 */
export function siteCertificate(
  scope: Construct,
  id: string,
  { domainName }: Config,
  given: string | undefined,
  zone: route53.IHostedZone | undefined,
): acm.ICertificate | undefined {
  if (given !== undefined) return acm.Certificate.fromCertificateArn(scope, id, given);
  if (domainName === undefined || zone === undefined) return undefined;
  return new acm.Certificate(scope, id, { domainName, validation: acm.CertificateValidation.fromDns(zone) });
}
