import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { pascalCase } from '../constructs/phase-functions.ts';
import { zonesOf } from '../options/network.ts';

/** A stack of the site, named after it. Its zones are given, so that a synthesis looks nothing up. */
export abstract class MoodleStack extends Stack {
  readonly config: Config;

  constructor(scope: Construct, purpose: string, config: Config, props: StackProps) {
    super(scope, `${pascalCase(config.site)}${purpose}`, { env: { region: config.region }, ...props });
    this.config = config;
  }

  override get availabilityZones(): string[] {
    return [...zonesOf(this.config)];
  }
}
