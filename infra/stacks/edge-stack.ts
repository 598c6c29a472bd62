import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';
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
  }

  /** Whether a site has anything there. */
  static isNeeded(config: Config): boolean {
    return config.cloudFront && (config.waf || viewerCertificate(config) === 'made');
  }
}
