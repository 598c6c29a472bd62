import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { setMarker } from '../lambdas/moodle-tables.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';
import { image, leftOut, run } from './run.ts';

const noPhp = leftOut('the checks of a node that finds another site', 'php');

/** Names as Moodle's lib/db/install.xml has them, of any release. */
const tables = ['config', 'config_plugins', 'user', 'course', 'tool_dataprivacy_config'];

describe.skipIf(noPhp).each(kinds)('a node that may install, on %s', (kind) => {
  let server: LifecycleServer;
  let folder: string;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
    folder = mkdtempSync(join(tmpdir(), 'other-moodles-'));
    writeFileSync(join(folder, 'authorities.pem'), server.certificateAuthority);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server.close();
  });

  async function beside(prefix: string): Promise<{ database: MoodleDatabase; said: ReturnType<typeof run> }> {
    const { name, database } = await server.emptyDatabase();
    await createLifecycleSchema(database);
    await setMarker(database);
    const [place, start] = prefix.includes('.') ? prefix.split('.') : [undefined, prefix];
    if (place) await database.execute(`CREATE SCHEMA ${place}`);
    const quote = kind === 'mysql' ? '`' : '"';
    for (const table of tables) {
      await database.execute(`CREATE TABLE ${place ? `${place}.` : ''}${quote}${start}${table}${quote} (id int)`);
    }
    const { host, port, credentials } = server.connection(name);
    const { user, password } = await credentials(false);
    const said = run('php', [join(image, 'scripts/install.php')], {
      MOODLE_SITE: 'campus',
      MOODLE_NODE_ID: 'node',
      MOODLE_LOCAL: folder,
      MOODLE_DATABASE_TYPE: kind === 'mysql' ? 'mariadb' : 'pgsql',
      MOODLE_DATABASE_HOST: host,
      MOODLE_DATABASE_PORT: String(port),
      MOODLE_DATABASE_NAME: name,
      MOODLE_DATABASE_USER: user,
      MOODLE_DATABASE_PASSWORD: password,
      MOODLE_DATABASE_SSLMODE: 'verify-full',
      SSL_CERT_FILE: join(folder, 'authorities.pem'),
    });
    return { database, said };
  }

  test.each([
    ['mood_', 'a Moodle with tables that begin with mood_.'],
    ['', 'a Moodle with tables without a prefix.'],
    ...(kind === 'postgresql' ? [['school.mdl_', 'tables that begin with mdl_, in the schema school.']] : []),
  ])('installs nothing beside the Moodle with the prefix “%s”, and says so to the rollout', async (prefix, words) => {
    const { database, said } = await beside(prefix ?? '');
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(words);
    const [marker] = await database.query('SELECT refused, started_at AS began FROM moodle_lifecycle.install_marker');
    expect(marker).toMatchObject({ refused: expect.stringContaining(words), began: null });
  });
});
