import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { createLifecycleSchema, lifecycleTables } from '../../lambdas/shared/lifecycle-schema.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { MysqlDatabase } from '../../lambdas/shared/mysql-database.ts';
import type { NetworkConnection } from '../../lambdas/shared/network-connection.ts';
import { PgDatabase } from '../../lambdas/shared/pg-database.ts';
import type { DatabaseServer } from '../../rehearsal/machines/databases.ts';
import { startMariaDb } from '../../rehearsal/machines/mariadb.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { makeWorld } from '../machines/make-world.ts';

const owner = { user: 'moodle', password: 'database-secret' };

/** Both kinds of database that the functions' statements are for, by the name of their dialect. */
export const kinds = ['postgresql', 'mysql'] as const;
export type Kind = (typeof kinds)[number];

const usualKind = kinds.find((kind) => kind === process.env.LIFECYCLE_TESTS_ON) ?? 'postgresql';

/** Takes all rows out of the lifecycle's tables. */
export async function emptyLifecycle(database: MoodleDatabase): Promise<void> {
  for (const table of lifecycleTables(database.dialect))
    await database.execute(`DELETE FROM moodle_lifecycle.${table}`);
}

/** A real database server that takes TLS only, for the functions' statements. One per test file, a database per test. */
export class LifecycleServer {
  readonly certificateAuthority: string;
  readonly #world: Awaited<ReturnType<typeof makeWorld>>;
  readonly #kind: Kind;
  readonly #server: DatabaseServer;
  readonly #open: MoodleDatabase[] = [];
  #maintenance: Promise<Client> | undefined;
  #withSchema: Promise<string> | undefined;

  private constructor(world: Awaited<ReturnType<typeof makeWorld>>, kind: Kind, server: DatabaseServer) {
    this.#world = world;
    this.#kind = kind;
    this.#server = server;
    this.certificateAuthority = readFileSync(world.certificateAuthorityFile, 'utf8');
  }

  /** @param kind of the tests that name one; else what the run was started for, PostgreSQL unless told otherwise */
  static async start(kind: Kind = usualKind): Promise<LifecycleServer> {
    const world = await makeWorld();
    const server = await (kind === 'postgresql' ? startPostgres : startMariaDb)(world, 'lifecycle');
    return new LifecycleServer(world, kind, server);
  }

  connection(database: string): NetworkConnection {
    return {
      host: this.#server.host,
      port: this.#server.port,
      database,
      tls: { ca: this.certificateAuthority },
      credentials: async () => owner,
    };
  }

  /** Another connection to a database that is there. */
  open(connection: NetworkConnection): MoodleDatabase {
    const database = this.#kind === 'postgresql' ? new PgDatabase(connection) : new MysqlDatabase(connection);
    this.#open.push(database);
    return database;
  }

  /** A new database without any table. */
  async emptyDatabase(): Promise<{ name: string; database: MoodleDatabase }> {
    const name = await this.#create();
    const database = this.open(this.connection(name));
    // There it is not in the database but beside it, and so that of the test before.
    if (this.#kind === 'mysql') await database.execute('DROP DATABASE IF EXISTS moodle_lifecycle');
    return { name, database };
  }

  /** A new database with the lifecycle's schema. */
  async database(): Promise<MoodleDatabase> {
    if (this.#kind === 'postgresql') {
      this.#withSchema ??= this.#makeTemplate();
      return this.open(this.connection(await this.#create(await this.#withSchema)));
    }
    const { database } = await this.emptyDatabase();
    await createLifecycleSchema(database);
    return database;
  }

  /** Copied by PostgreSQL once the schema is in it; a copy takes less than making the schema. */
  async #makeTemplate(): Promise<string> {
    const name = await this.#create();
    const database = this.open(this.connection(name));
    await createLifecycleSchema(database);
    await database.close();
    return name;
  }

  /** @returns the new database's name */
  async #create(template = 'template1'): Promise<string> {
    const name = `site_${randomBytes(4).toString('hex')}`;
    if (this.#kind === 'mysql') await this.#server.ensureOwner(owner.user, owner.password, name);
    else {
      this.#maintenance ??= this.#openMaintenance();
      // Not by way of the write-ahead log, which takes half as long again for a database this small.
      await (await this.#maintenance).query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
    }
    return name;
  }

  async #openMaintenance(): Promise<Client> {
    await this.#server.ensureOwner(owner.user, owner.password, 'maintenance');
    const { host, port } = this.#server;
    const client = new Client({
      host,
      port,
      ...owner,
      database: 'maintenance',
      ssl: { ca: this.certificateAuthority },
    });
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    for (const database of this.#open) await database.close();
    await (await this.#maintenance)?.end();
    await this.#world.close();
  }
}
