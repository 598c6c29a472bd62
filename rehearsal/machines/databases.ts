import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

/** A running database server. */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  /** Creates the login or gives it this password, and creates the database that it owns. Repeatable. */
  ensureOwner(user: string, password: string, database: string | undefined): Promise<void>;
}

/** A running database of the make-believe account: a cluster of Aurora, or one instance. */
export interface Database {
  readonly arn: string;
  readonly identifier: string;
  readonly kind: 'cluster' | 'instance';
  /** The server that stands behind it. */
  readonly engine: 'postgres' | 'mariadb';
  readonly host: string;
  readonly port: number;
  readonly databaseName: string | undefined;
  /** PEM file that clients trust; the server takes no connection without TLS. */
  readonly certificateAuthorityFile: string;
  /** Whether the Data API is open (`EnableHttpEndpoint`). */
  readonly dataApi: boolean;
}

/** By ARN. */
export const databasesOf = perWorld(() => new Map<string, Database>());

export function findDatabase(world: World, arn: string): Database | undefined {
  return databasesOf(world).get(arn);
}
