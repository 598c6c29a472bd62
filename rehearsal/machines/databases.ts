import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

/** A running database server. */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  /** Creates the login or gives it this password, and creates the database that it owns. Repeatable. */
  ensureOwner(user: string, password: string, database: string | undefined): Promise<void>;
}

/** A running database cluster, and how to reach it. */
export interface Database {
  readonly clusterArn: string;
  readonly clusterIdentifier: string;
  readonly engine: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly databaseName: string | undefined;
  /** PEM file that clients trust; the server takes no connection without TLS. */
  readonly certificateAuthorityFile: string;
  /** Whether the Data API is open (`EnableHttpEndpoint`). */
  readonly dataApi: boolean;
}

/** By cluster ARN. */
export const databasesOf = perWorld(() => new Map<string, Database>());

export function findDatabase(world: World, clusterArn: string): Database | undefined {
  return databasesOf(world).get(clusterArn);
}
