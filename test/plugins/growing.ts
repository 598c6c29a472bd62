import { type PluginRelease, releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { makeTable, pluginFiles, savepoint } from './make-plugin.ts';

export const GROWING = 'local_growing';
const FIRST = 2026010100;

/** The table that a step makes. */
export const tableOf = (step: number) => `${GROWING}_${step}`;

interface Step {
  /** That the upgrade takes after its table is there and before it is done: time to stop it in. */
  readonly seconds?: number;
  readonly files?: Readonly<Record<string, string>>;
}

/** A plugin with a version for every step; each has one table more than the one before, with one row. */
export function growing(step: number, { seconds = 0, files = {} }: Step = {}): PluginRelease {
  const version = FIRST + step;
  const tables = Array.from({ length: step }, (_, index) => [tableOf(index + 1), ['n']] as const);
  return releaseOf(
    pluginFiles({
      component: GROWING,
      version,
      tables: Object.fromEntries(tables),
      upgrade:
        step === 1
          ? ''
          : [
              `if ($oldversion < ${version}) {`,
              makeTable(tableOf(step)).replace(
                '$table->add_key',
                "$table->add_field('n', XMLDB_TYPE_INTEGER, '10', null, XMLDB_NOTNULL, null, '0');\n$table->add_key",
              ),
              `$DB->insert_record('${tableOf(step)}', ['n' => 7]);`,
              `sleep(${seconds});`,
              savepoint(GROWING, version),
              '}',
            ].join('\n'),
      files,
    }),
  );
}
