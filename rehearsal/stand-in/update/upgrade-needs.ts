import { type Database, readConfig } from '../database.ts';
import { codeVersions, type PluginCode } from '../plugins/code.ts';
import { statementsToDeclared } from '../plugins/declared-tables.ts';
import { allComponentHash, allVersionsHash, type VersionDifferences, versionDifferences } from '../plugins/versions.ts';

export interface UpgradeNeeds extends VersionDifferences {
  readonly pending: boolean;
  /** Why it needs maintenance; undefined when it does not. */
  readonly why: string | undefined;
}

/** What an upgrade of this database to this code would do. */
export async function upgradeNeeds(
  database: Database,
  plugins: ReadonlyMap<string, PluginCode>,
): Promise<UpgradeNeeds> {
  const code = codeVersions(plugins);
  const differences = await versionDifferences(database, code);
  const config = await readConfig(database);
  const cameOrWent = config.get('allcomponenthash') !== allComponentHash(code);
  const changed: string[] = [];
  for (const { component } of differences.newer) {
    const statements = await statementsToDeclared(database, plugins.get(component)?.declaredTables);
    if (statements.length > 0) changed.push(component);
  }
  return {
    ...differences,
    pending: differences.newer.length > 0 || config.get('allversionshash') !== allVersionsHash(code),
    why: cameOrWent
      ? 'a plugin came or went'
      : changed.length > 0
        ? `tables of ${changed.join(', ')} change`
        : undefined,
  };
}
