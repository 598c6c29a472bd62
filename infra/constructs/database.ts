import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { databaseEngines } from '../database-engines.ts';
import { AuroraCluster } from './aurora-cluster.ts';
import type { Network } from './network.ts';
import { RdsInstance } from './rds-instance.ts';

/** Told apart by `kind`, where one has what the other has not. */
export type Database = AuroraCluster | RdsInstance;

/** The database that the options ask for. It refuses connections without TLS. */
export function database(scope: Construct, id: string, network: Network, config: Config): Database {
  return databaseEngines[config.databaseEngine].kind === 'cluster'
    ? new AuroraCluster(scope, id, network, config)
    : new RdsInstance(scope, id, network, config);
}
