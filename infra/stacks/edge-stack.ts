import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { hostedZone, siteCertificate } from '../constructs/certificates.ts';
import { Firewall } from '../constructs/firewall.ts';
import { pascalCase } from '../constructs/phase-functions.ts';
import { viewerCertificate } from '../options/edge.ts';
import { MoodleStack } from './moodle-stack.ts';

/** What CloudFront takes from us-east-1 alone, wherever the site is. */
export class EdgeStack extends MoodleStack {
  readonly certificate: acm.ICertificate | undefined;
  readonly firewall: Firewall | undefined;

  constructor(scope: Construct, config: Config) {
    // Named after the region of the site too: sites of the same name in two regions meet in this one.
    super(scope, `Edge${pascalCase(config.region)}`, config, {
      description: `Moodle ${config.site}: what CloudFront takes from us-east-1`,
      env: { region: 'us-east-1' },
      crossRegionReferences: true,
    });
    this.certificate =
      viewerCertificate(config) === 'made'
        ? siteCertificate(this, 'Certificate', config, undefined, hostedZone(this, 'Zone', config))
        : undefined;
    this.firewall = config.waf ? new Firewall(this, 'Firewall', 'CLOUDFRONT', config) : undefined;
    acknowledge(
      this,
      'NIST.800.53.R5-CloudWatchLogGroupEncrypted',
      "The site's key is in its own region; what the firewall writes has neither cookies nor queries.",
    );
  }

  /** Whether a site has anything there. */
  static isNeeded(config: Config): boolean {
    return config.cloudFront && (config.waf || viewerCertificate(config) === 'made');
  }
}
