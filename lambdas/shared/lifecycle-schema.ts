import type { MoodleDatabase } from './moodle-database.ts';
import { updateSchema } from './update-schema.ts';

/**
 * The schema beside Moodle's tables: who holds the site, whether an install is ours, which cache stores are wanted and
 * what nodes acknowledged. Every statement may run any number of times; one statement each, as the Data API wants it.
 */
export const lifecycleSchema: readonly string[] = [
  'CREATE SCHEMA IF NOT EXISTS moodle_lifecycle',
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.rollout_hold (
     site text PRIMARY KEY,
     execution text NOT NULL,
     since timestamptz NOT NULL,
     reason text NOT NULL,
     before_rollout jsonb NOT NULL,
     operator text,
     beneath text
   )`,
  // For sites whose schema was made before a person could hold them.
  `ALTER TABLE moodle_lifecycle.rollout_hold
     ADD COLUMN IF NOT EXISTS operator text,
     ADD COLUMN IF NOT EXISTS beneath text`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.install_marker (
     site text PRIMARY KEY,
     execution text NOT NULL,
     finish text NOT NULL CHECK (finish IN ('unattended', 'browser')),
     allowed_at timestamptz NOT NULL,
     attempt int NOT NULL DEFAULT 0,
     node text,
     expected_tables int,
     started_at timestamptz,
     finished_at timestamptz,
     cleared_tables int,
     refused text
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.cache_store (
     site text,
     name text,
     plugin text NOT NULL,
     endpoint text NOT NULL,
     tls boolean NOT NULL,
     prefix text NOT NULL,
     secret_arn text,
     PRIMARY KEY (site, name)
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.cache_mode_mapping (
     site text,
     mode text CHECK (mode IN ('application', 'session', 'request')),
     store text NOT NULL,
     PRIMARY KEY (site, mode)
   )`,
  `CREATE OR REPLACE VIEW moodle_lifecycle.cache_configuration_hash AS
     SELECT site, encode(sha256(convert_to(string_agg(line, chr(10) ORDER BY line COLLATE "C"), 'UTF8')), 'hex') AS hash
       FROM (
         SELECT site, json_build_array('store', name, plugin, endpoint, tls, prefix, secret_arn)::text AS line
           FROM moodle_lifecycle.cache_store
         UNION ALL
         SELECT site, json_build_array('mapping', mode, store)::text AS line
           FROM moodle_lifecycle.cache_mode_mapping
       ) AS lines
      GROUP BY site`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.node_acknowledgement (
     site text,
     node text,
     subject text,
     value jsonb NOT NULL,
     acknowledged_at timestamptz NOT NULL,
     PRIMARY KEY (site, node, subject)
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.node_replacement (
     site text,
     execution text,
     purpose text,
     deployment_id text,
     requested_at timestamptz NOT NULL,
     PRIMARY KEY (site, execution, purpose)
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.task_run (
     site text,
     execution text,
     purpose text,
     task_arn text,
     requested_at timestamptz NOT NULL,
     PRIMARY KEY (site, execution, purpose)
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.session_migration (
     site text PRIMARY KEY,
     source text NOT NULL,
     target text NOT NULL,
     opened_at timestamptz NOT NULL,
     closed_at timestamptz
   )`,
  ...updateSchema,
];

/** Makes what is not there yet. Two rollouts that begin at once make it one after the other. */
export async function createLifecycleSchema(database: MoodleDatabase): Promise<void> {
  const [there] = await database.query(
    `SELECT to_regclass('moodle_lifecycle.update_row_before') IS NOT NULL AS made,
            to_regclass('moodle_lifecycle.cache_configuration_hash') IS NOT NULL AS hashed,
            EXISTS (SELECT 1 FROM information_schema.columns
                     WHERE table_schema = 'moodle_lifecycle' AND table_name = 'rollout_hold'
                       AND column_name = 'beneath') AS holdable`,
  );
  if (there?.made === true && there.hashed === true && there.holdable === true) return;
  await database.transaction(async (statements) => {
    // CREATE … IF NOT EXISTS is not safe against itself: two at once end in a unique violation of the catalogue.
    await statements.query("SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtext('moodle_lifecycle.schema'))");
    for (const statement of lifecycleSchema) await statements.execute(statement);
  });
}
