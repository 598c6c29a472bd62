import type { World } from '../world.ts';
import { LOOPBACK } from './ports.ts';
import { engineOf } from './rds/engines.ts';
import { type DatabaseRecord, findCluster, findInstance } from './rds/records.ts';

/** A running database server. */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  /** Creates the login or gives it this password, and creates the database that it owns. Repeatable. */
  ensureOwner(user: string, password: string, database: string | undefined): Promise<void>;
  /** Ends its connections and the server. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Default: the one that this name had in an earlier rehearsal on the folder, or a free one. */
  readonly port?: number;
  /** Further settings of the server, as on its command line. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A database of the make-believe account, a cluster of Aurora or one instance, and how to reach it. */
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
  /** Names the server behind the endpoint: another one when another database has got the identifier. */
  readonly server: string;
}

/**
 * The database that an identifier stands for now.
 *
 * @param databaseArn of a cluster, or of an instance that belongs to none
 */
export function findDatabase(world: World, databaseArn: string): Database | undefined {
  const [, kind = '', identifier = ''] = /:(cluster|db):([^:]+)$/.exec(databaseArn) ?? [];
  const found = kind === 'cluster' ? findCluster(world, identifier) : findInstance(world, identifier);
  return found === undefined || found.of === 'member' ? undefined : describe(world, databaseArn, found);
}

function describe(world: World, arn: string, record: DatabaseRecord): Database {
  return {
    arn,
    identifier: record.identifier,
    kind: record.of,
    engine: engineOf(record.engine).family,
    host: LOOPBACK,
    port: record.port,
    databaseName: record.databaseName,
    certificateAuthorityFile: world.certificateAuthorityFile,
    dataApi: record.of === 'cluster' && record.httpEndpoint,
    server: record.server,
  };
}
