/**
 * Tables of the rollout `plugin-update`, in the schema of `lifecycle-schema.ts` and by its rules: one statement each, and
 * each may run any number of times.
 */
export const updateSchema: readonly string[] = [
  // The four moments of the upgrade are written by the image's one-off tasks, all else by the phases' functions.
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.update_run (
     site text,
     execution text,
     stage text NOT NULL
       CHECK (stage IN ('planned', 'upgrading', 'upgraded', 'rolled', 'putting back', 'done', 'put back')),
     plan jsonb NOT NULL,
     snapshot text,
     schema_before text,
     maintenance_required boolean,
     started_at timestamptz NOT NULL,
     maintenance_since timestamptz,
     upgrade_started_at timestamptz,
     upgrade_ended_at timestamptz,
     maintenance_ended_at timestamptz,
     finished_at timestamptz,
     PRIMARY KEY (site, execution)
   )`,
  `CREATE TABLE IF NOT EXISTS moodle_lifecycle.update_row_before (
     site text,
     execution text,
     table_name text CHECK (table_name IN ('config', 'config_plugins')),
     plugin text,
     name text,
     value text,
     PRIMARY KEY (site, execution, table_name, plugin, name)
   )`,
];
