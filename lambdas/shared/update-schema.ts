import type { ColumnTypes } from './dialect.ts';

/** Columns of the tables of the rollout `plugin-update`, by the rules of `lifecycle-schema.ts`. */
export function updateTables({ key, text, time, json }: ColumnTypes): Readonly<Record<string, string>> {
  return {
    // The four moments of the upgrade are written by the image's one-off tasks, all else by the phases' functions.
    update_run: `site ${key(63)},
      execution ${key(255)},
      origin ${text} NOT NULL,
      stage ${key(32)} NOT NULL
        CHECK (stage IN ('planned', 'upgrading', 'upgraded', 'rolled', 'putting back', 'done', 'put back')),
      plan ${json} NOT NULL,
      snapshot ${text},
      schema_before ${text},
      database_back ${text},
      maintenance_required boolean,
      started_at ${time} NOT NULL,
      maintenance_since ${time},
      upgrade_started_at ${time},
      upgrade_ended_at ${time},
      maintenance_ended_at ${time},
      finished_at ${time},
      PRIMARY KEY (site, execution)`,
    update_row_before: `site ${key(63)},
      execution ${key(255)},
      table_name ${key(32)} CHECK (table_name IN ('config', 'config_plugins')),
      plugin ${key(100)},
      name ${key(255)},
      value ${text},
      PRIMARY KEY (site, execution, table_name, plugin, name)`,
  };
}
