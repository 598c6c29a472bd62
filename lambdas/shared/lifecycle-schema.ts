import type { ColumnTypes, Dialect } from './dialect.ts';
import { type MoodleDatabase, text } from './moodle-database.ts';
import { updateTables } from './update-schema.ts';

/**
 * The schema beside Moodle's tables: who holds the site, whether an install is ours, which cache stores are wanted and
 * what nodes acknowledged.
 */
function installTables({ key, text, time, json }: ColumnTypes): Readonly<Record<string, string>> {
  return {
    rollout_hold: `site ${key(63)} PRIMARY KEY,
      execution ${text} NOT NULL,
      since ${time} NOT NULL,
      reason ${text} NOT NULL,
      before_rollout ${json} NOT NULL,
      operator ${text},
      beneath ${text}`,
    install_marker: `site ${key(63)} PRIMARY KEY,
      execution ${text} NOT NULL,
      finish ${key(32)} NOT NULL CHECK (finish IN ('unattended', 'browser')),
      allowed_at ${time} NOT NULL,
      attempt int NOT NULL DEFAULT 0,
      node ${text},
      expected_tables int,
      started_at ${time},
      finished_at ${time},
      cleared_tables int,
      refused ${text}`,
    install_progress: `site ${key(63)} PRIMARY KEY,
      execution ${key(255)} NOT NULL,
      signs ${text} NOT NULL,
      moved_at ${time} NOT NULL`,
    cache_store: `site ${key(63)},
      name ${key(255)},
      plugin ${text} NOT NULL,
      endpoint ${text} NOT NULL,
      tls boolean NOT NULL,
      prefix ${text} NOT NULL,
      secret_arn ${text},
      PRIMARY KEY (site, name)`,
    cache_mode_mapping: `site ${key(63)},
      mode ${key(32)} CHECK (mode IN ('application', 'session', 'request')),
      store ${text} NOT NULL,
      PRIMARY KEY (site, mode)`,
    node_acknowledgement: `site ${key(63)},
      node ${key(255)},
      subject ${key(255)},
      value ${json} NOT NULL,
      acknowledged_at ${time} NOT NULL,
      PRIMARY KEY (site, node, subject)`,
    node_replacement: `site ${key(63)},
      execution ${key(255)},
      purpose ${key(255)},
      deployment_id ${text},
      requested_at ${time} NOT NULL,
      PRIMARY KEY (site, execution, purpose)`,
    task_run: `site ${key(63)},
      execution ${key(255)},
      purpose ${key(255)},
      task_arn ${text},
      requested_at ${time} NOT NULL,
      PRIMARY KEY (site, execution, purpose)`,
    session_migration: `site ${key(63)} PRIMARY KEY,
      source ${text} NOT NULL,
      target ${text} NOT NULL,
      opened_at ${time} NOT NULL,
      closed_at ${time}`,
  };
}

/** Columns that came after their table; for sites whose schema is from before that. */
const laterColumns = [
  ['rollout_hold', 'operator'],
  ['rollout_hold', 'beneath'],
] as const;

/**
 * Statements by the table or view that they make, in the order that they need. Each may run any number of times; one
 * statement each, as the Data API wants it.
 */
function creations(dialect: Dialect): ReadonlyMap<string, string> {
  const tables = tablesOf(dialect);
  const store = ["'store'", 'name', 'plugin', 'endpoint', 'tls', 'prefix', 'secret_arn'];
  return new Map([
    ...Object.entries(tables).map(
      ([name, columns]) => [name, `CREATE TABLE IF NOT EXISTS moodle_lifecycle.${name} (${columns})`] as const,
    ),
    [
      'cache_configuration_hash',
      `CREATE OR REPLACE VIEW moodle_lifecycle.cache_configuration_hash AS ${dialect.hashOfLines(
        `SELECT site, ${dialect.jsonArray(store)} AS line FROM moodle_lifecycle.cache_store
          UNION ALL
         SELECT site, ${dialect.jsonArray(["'mapping'", 'mode', 'store'])} AS line
           FROM moodle_lifecycle.cache_mode_mapping`,
      )}`,
    ],
  ]);
}

const tablesOf = ({ types }: Dialect) => ({ ...installTables(types), ...updateTables(types) });

/** Names of its tables. */
export const lifecycleTables = (dialect: Dialect): readonly string[] => Object.keys(tablesOf(dialect));

/** The statements that make the schema, in their order. */
export function lifecycleSchema(dialect: Dialect): readonly string[] {
  return [dialect.createSchema, ...creations(dialect).values()];
}

/** Makes what is not there yet. Two rollouts that begin at once make it one after the other. */
export async function createLifecycleSchema(database: MoodleDatabase): Promise<void> {
  const statements = await missingParts(database);
  if (statements.length === 0) return;
  // MySQL makes one after the other by itself, and ends a transaction at the first of them.
  if (!database.dialect.transactionalDdl) {
    for (const statement of statements) await database.execute(statement);
    return;
  }
  await database.transaction(async (transaction) => {
    // CREATE … IF NOT EXISTS is not safe against itself: two at once end in a unique violation of the catalogue.
    await transaction.query("SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtext('moodle_lifecycle.schema'))");
    for (const statement of statements) await transaction.execute(statement);
  });
}

async function missingParts(database: MoodleDatabase): Promise<string[]> {
  const { dialect } = database;
  const rows = await database.query(
    `SELECT table_name AS of_table, column_name AS name FROM information_schema.columns
      WHERE table_schema = 'moodle_lifecycle'`,
  );
  const there = new Map<string, Set<string>>();
  for (const row of rows) {
    const table = text(row, 'of_table');
    there.set(table, (there.get(table) ?? new Set()).add(text(row, 'name')));
  }
  const missing = [...creations(dialect)].filter(([name]) => !there.has(name)).map(([, statement]) => statement);
  const added = laterColumns
    .filter(([table, column]) => there.get(table)?.has(column) === false)
    .map(
      ([table, column]) => `ALTER TABLE moodle_lifecycle.${table} ${dialect.addColumn} ${column} ${dialect.types.text}`,
    );
  return [...(missing.length > 0 ? [dialect.createSchema] : []), ...missing, ...added];
}
