import { checkSiteForUpdate } from '../../lambdas/check-site-for-update.ts';
import type { TaskReport } from '../../lambdas/shared/acknowledgements.ts';
import { DatabaseUnreachable } from '../../lambdas/shared/errors.ts';
import type { Rollout } from '../../lambdas/shared/hold.ts';
import { canonicalManifest, type Manifest } from '../../lambdas/shared/manifest.ts';
import { type MoodleDatabase, type SqlStatements, text } from '../../lambdas/shared/moodle-database.ts';
import { tagNames, tagValues } from '../../lambdas/shared/rds/names.ts';
import type { UpdatePlan } from '../../lambdas/shared/update-plan.ts';
import { Account } from './account.ts';
import { untilDone } from './bench.ts';
import { FakeRds } from './fake-rds.ts';
import { makeMoodleTables } from './moodle-tables.ts';

const machine = 'arn:aws:states:eu-central-1:111122223333:execution:plugin-update';
export const first: Rollout = { site: 'campus', execution: `${machine}:first` };
export const second: Rollout = { site: 'campus', execution: `${machine}:second` };

const pinned = (version: number) => ({
  component: 'mod_x',
  version,
  release: '',
  url: 'https://archives/mod_x.zip',
  sha256: 'a'.repeat(64),
});
const manifestOf = (version: number): Manifest => ({
  moodle: { version: '5.1', sha256: null },
  plugins: [pinned(version)],
});
const [oldVersion, newVersion] = [2025010100, 2026010100];

/** The plan of an update of mod_x, as *Find updates* makes it. */
export const plan: UpdatePlan = {
  outcome: 'update',
  summary: `mod_x ${oldVersion} → ${newVersion}`,
  headline: 'updated',
  stopped: false,
  changes: [{ component: 'mod_x', from: oldVersion, to: newVersion, release: '', risk: 'minor' }],
  leftOut: [],
  fromImage: 'content-1',
  image: 'content-1-0123456789ab',
  manifest: manifestOf(newVersion),
  deleteData: [],
  filesChange: false,
  approval: false,
  approvalSeconds: 86_400,
  maintenanceWindow: null,
  snapshotRetentionDays: 14,
};

/** Tables whose content goes with the database when RDS restores it. */
const tables = [
  ...['rollout_hold', 'update_run', 'update_row_before', 'task_run', 'node_replacement', 'node_acknowledgement'].map(
    (name) => `moodle_lifecycle.${name}`,
  ),
  'mdl_config',
  'mdl_config_plugins',
  'mdl_post',
];

/**
 * An installed site with one plugin, whose database is real. The image's one-off tasks are played: they do to that
 * database what the real ones do, in as many words as the functions read. Copies of the database are copies of its
 * rows.
 */
export class UpdatingSite extends Account {
  readonly rds: FakeRds;
  /** Whether Moodle is in maintenance mode; it is a file, and so not in the database. */
  maintenance = false;
  maintenanceRequired = false;
  /** Moodle's error in the upgrade; undefined: it works. */
  upgradeFails: string | undefined;
  /** Whether the upgrade adds a column to a table of the plugin. */
  changesSchema = false;

  private constructor(database: MoodleDatabase) {
    super(database, { DATABASE_ENGINE: 'aurora-postgresql' });
    this.rds = new FakeRds('cluster');
    Object.assign(this.operations, this.rds.operations, {
      CreateDBClusterSnapshot: async (input: { DBClusterSnapshotIdentifier: string }) => {
        await this.#keep('snapshot');
        return this.rds.operations.CreateDBClusterSnapshot?.(input as never) ?? {};
      },
    });
    this.rds.exchanged = async () => {
      const { [tagNames.restoredTo]: to = '' } = tagValues(this.rds.clusters.get('campus-database')?.TagList);
      await this.#bringBack(/^\d{4}-/.test(to) ? 'maintenance' : 'snapshot');
    };
    this.report = (command, image) => this.#task(command, image);
    this.waits = async (image) => this.#codeOf(image) > (await this.#inDatabase());
  }

  static async make(database: MoodleDatabase): Promise<UpdatingSite> {
    const site = new UpdatingSite(database);
    await makeMoodleTables(database);
    for (const table of ['mdl_post', 'mdl_x']) await database.execute(`DROP TABLE IF EXISTS ${table}`);
    await database.execute('CREATE TABLE mdl_post (words varchar(100))');
    await database.execute('CREATE TABLE mdl_x (id bigint)');
    await database.execute(`INSERT INTO mdl_config_plugins VALUES ('mod_x', 'version', '${oldVersion}'), ('mod_x', 'colour', 'red'),
                                                                   ('mod_y', 'version', '2025050500')`);
    await site.serve(2);
    site.objects.set('manifests/content-1.json', canonicalManifest(manifestOf(oldVersion)));
    site.objects.set(`manifests/${plan.image}.json`, canonicalManifest(plan.manifest));
    site.images.add(plan.image);
    return site;
  }

  /** The database as the functions reach it: not while none has the site's name. */
  override get clients() {
    const { database } = this;
    const reached = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (this.rds && !this.rds.answers) throw new DatabaseUnreachable('The database does not answer.');
      return work();
    };
    return {
      ...super.clients,
      database: {
        access: database.access,
        dialect: database.dialect,
        query: (...words: Parameters<SqlStatements['query']>) => reached(() => database.query(...words)),
        execute: (...words: Parameters<SqlStatements['execute']>) => reached(() => database.execute(...words)),
        transaction: <Result>(work: (statements: SqlStatements) => Promise<Result>) =>
          reached(() => database.transaction(work)),
        close: () => database.close(),
      },
    };
  }

  override async settle(): Promise<void> {
    await super.settle();
    await this.rds.settle();
  }

  /** Somebody writes into the forum. */
  async post(words: string): Promise<void> {
    await this.database.execute('INSERT INTO mdl_post VALUES (:words)', { words });
  }

  async posts(): Promise<string[]> {
    const rows = await this.database.query('SELECT words FROM mdl_post ORDER BY words');
    return rows.map((row) => text(row, 'words'));
  }

  async settingsOfPlugins(): Promise<string[]> {
    const rows = await this.database.query('SELECT plugin, name, value FROM mdl_config_plugins');
    return rows.map((row) => `${row.plugin} ${row.name} ${row.value}`).sort();
  }

  /** Takes the site for an execution, as the first phase does. */
  async check(rollout = first, input: unknown = {}) {
    this.executions.set(rollout.execution, 'RUNNING');
    const check = () => checkSiteForUpdate(this.clients, { ...rollout, input });
    return (await untilDone(this, check, () => this.settleTasks())).evidence;
  }

  /** An execution that somebody stopped. */
  stopped({ execution }: Rollout): void {
    this.executions.set(execution, 'ABORTED');
  }

  #codeOf(image: string): number {
    const kept = this.objects.get(`manifests/${image}.json`);
    return kept ? (JSON.parse(kept).plugins[0]?.version ?? 0) : oldVersion;
  }

  async #inDatabase(): Promise<number> {
    const [row] = await this.database.query(
      `SELECT value FROM mdl_config_plugins WHERE plugin = 'mod_x' AND name = 'version'`,
    );
    return row ? Number(text(row, 'value')) : 0;
  }

  async #task([role = '', ...words]: readonly string[], image: string): Promise<TaskReport> {
    const pending = this.#codeOf(image) !== (await this.#inDatabase());
    switch (role) {
      case 'plan-upgrade':
        return {
          ok: true,
          pending,
          maintenanceRequired: this.maintenanceRequired,
          older: this.#codeOf(image) < (await this.#inDatabase()) ? ['mod_x'] : [],
          ...(this.maintenanceRequired ? { why: 'there are upgrade steps for mod_x' } : {}),
        };
      case 'begin-maintenance':
        this.maintenance = true;
        return { ok: true };
      case 'end-maintenance':
        this.maintenance = false;
        return { ok: true, pending };
      case 'upgrade':
        return this.#upgrade(words[0] === '--maintenance', this.#codeOf(image));
      case 'uninstall-plugins':
        await this.#begin(true);
        await this.database.execute(`DELETE FROM mdl_config_plugins WHERE plugin = 'mod_x'`);
        return { ok: true, uninstalled: words };
      default:
        return { ok: true };
    }
  }

  /** As image/scripts/upgrade.php: what it refuses, what it writes before and after. */
  async #upgrade(withMaintenance: boolean, version: number): Promise<TaskReport> {
    const [run] = await this.database.query(
      `SELECT upgrade_ended_at FROM moodle_lifecycle.update_run WHERE site = 'campus' AND finished_at IS NULL
          AND stage = 'upgrading'`,
    );
    if (!run) return { ok: false, problem: 'No update of this site is at its upgrade. Nothing was done.' };
    await this.#begin(withMaintenance);
    await this.database.execute(
      `INSERT INTO moodle_lifecycle.update_row_before (site, execution, table_name, plugin, name, value)
       SELECT 'campus', origin, 'config_plugins', plugin, name, value FROM mdl_config_plugins, moodle_lifecycle.update_run
        WHERE finished_at IS NULL AND (name = 'version' OR plugin = 'mod_x')`,
    );
    if (this.changesSchema) await this.database.execute('ALTER TABLE mdl_x ADD COLUMN colour varchar(10)');
    await this.database.execute(
      `UPDATE mdl_config_plugins SET value = '${version}' WHERE plugin = 'mod_x' AND name = 'version'`,
    );
    await this.database.execute(`INSERT INTO mdl_config_plugins VALUES ('mod_x', 'size', 'large')`);
    if (this.upgradeFails) return { ok: false, problem: this.upgradeFails, plugin: 'mod_x', line: 'Exception - no' };
    await this.#mark('upgrade_ended_at');
    if (withMaintenance) {
      this.maintenance = false;
      await this.#mark('maintenance_ended_at');
    }
    const plugins = [{ component: 'mod_x', from: oldVersion, to: version }];
    return { ok: true, plugins, upgradeSeconds: 3.5 };
  }

  async #begin(withMaintenance: boolean): Promise<void> {
    if (withMaintenance) this.maintenance = true;
    if (withMaintenance) await this.#mark('maintenance_since');
    const [begun] = await this.database.query(
      'SELECT 1 AS begun FROM moodle_lifecycle.update_run WHERE finished_at IS NULL AND upgrade_started_at IS NOT NULL',
    );
    if (!begun) await this.#keep('maintenance');
    await this.#mark('upgrade_started_at');
  }

  async #mark(moment: string): Promise<void> {
    const { now } = this.database.dialect;
    await this.database.execute(
      `UPDATE moodle_lifecycle.update_run SET ${moment} = coalesce(${moment}, ${now}) WHERE finished_at IS NULL`,
    );
  }

  async #keep(moment: 'snapshot' | 'maintenance'): Promise<void> {
    for (const table of tables) {
      const copy = `moodle_lifecycle.${moment}_${table.replace('moodle_lifecycle.', '')}`;
      await this.database.execute(`DROP TABLE IF EXISTS ${copy}`);
      await this.database.execute(`CREATE TABLE ${copy} AS SELECT * FROM ${table}`);
    }
  }

  async #bringBack(moment: 'snapshot' | 'maintenance'): Promise<void> {
    for (const table of tables) {
      const copy = `moodle_lifecycle.${moment}_${table.replace('moodle_lifecycle.', '')}`;
      await this.database.execute(`DELETE FROM ${table}`);
      await this.database.execute(`INSERT INTO ${table} SELECT * FROM ${copy}`);
    }
    if (this.changesSchema) await this.database.execute('ALTER TABLE mdl_x DROP COLUMN colour');
  }
}
