import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import { type PgConnection, PgDatabase } from '../../lambdas/shared/pg-database.ts';
import { type Postgres, startPostgres } from '../../rehearsal/machines/postgres.ts';
import { makeWorld } from '../machines/make-world.ts';

const owner = { user: 'moodle', password: 'database-secret' };

/** A real PostgreSQL server that takes TLS only, for the functions' statements. One per test file, a database per test. */
export class LifecycleServer {
  readonly certificateAuthority: string;
  readonly #world: Awaited<ReturnType<typeof makeWorld>>;
  readonly #postgres: Postgres;
  readonly #open: PgDatabase[] = [];

  private constructor(world: Awaited<ReturnType<typeof makeWorld>>, postgres: Postgres) {
    this.#world = world;
    this.#postgres = postgres;
    this.certificateAuthority = readFileSync(world.certificateAuthorityFile, 'utf8');
  }

  static async start(): Promise<LifecycleServer> {
    const world = await makeWorld();
    return new LifecycleServer(world, await startPostgres(world, 'lifecycle'));
  }

  connection(database: string): PgConnection {
    return {
      host: this.#postgres.host,
      port: this.#postgres.port,
      database,
      tls: { ca: this.certificateAuthority },
      credentials: async () => owner,
    };
  }

  /** Another connection to a database that is there. */
  open(connection: PgConnection): PgDatabase {
    const database = new PgDatabase(connection);
    this.#open.push(database);
    return database;
  }

  /** A new database without any table. */
  async emptyDatabase(): Promise<{ name: string; database: PgDatabase }> {
    const name = `site_${randomBytes(4).toString('hex')}`;
    await this.#postgres.ensureOwner(owner.user, owner.password, name);
    return { name, database: this.open(this.connection(name)) };
  }

  /** A new database with the lifecycle's schema. */
  async database(): Promise<PgDatabase> {
    const { database } = await this.emptyDatabase();
    await createLifecycleSchema(database);
    return database;
  }

  async close(): Promise<void> {
    for (const database of this.#open) await database.close();
    await this.#world.close();
  }
}
