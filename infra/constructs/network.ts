import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { ExistingNetwork } from './existing-network.ts';
import { OwnNetwork } from './own-network.ts';

/** Where the parts of the site stand. Data has no way out at all. */
export interface Network {
  readonly vpc: ec2.IVpc;
  /** In every zone. */
  readonly publicSubnets: ec2.SelectedSubnets;
  /** In every zone, where nobody comes from the internet. */
  readonly privateSubnets: ec2.SelectedSubnets;
  /** Those of them in the zones that have nodes. */
  readonly nodeSubnets: ec2.SelectedSubnets;
  /** In every zone: RDS asks for two even for one instance. */
  readonly databaseSubnets: ec2.SelectedSubnets;
  /** For files and caches: in the zones that have nodes, so that nobody pays for the way to another zone. */
  readonly storeSubnets: ec2.SelectedSubnets;
  /** Lets the client use the endpoints of AWS services in the network, where there are any. */
  allowFrom(client: ec2.IConnectable): void;
}

/** The site's own network, or the one that the options name. */
export function siteNetwork(scope: Construct, id: string, config: Config): Network {
  return config.vpcId === undefined
    ? new OwnNetwork(scope, id, config)
    : new ExistingNetwork(scope, id, config, config.vpcId);
}
