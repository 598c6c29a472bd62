import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMember } from '../../plugin-directory/plugin-version.ts';
import { MOODLE_VERSION } from '../version.ts';

/** A plugin of this node's image. */
export interface PluginCode {
  readonly component: string;
  readonly version: number;
  /** Text of its `db/install.xml`; undefined when it declares no tables. */
  readonly declaredTables: string | undefined;
}

/**
 * The plugins of the image, by component.
 *
 * @throws Error when the image's code is not there
 */
export function readPlugins(dirroot: string): Map<string, PluginCode> {
  const folder = join(dirroot, 'plugins');
  return new Map(
    readdirSync(folder)
      .sort()
      .map((component) => {
        const declared = join(folder, component, 'db/install.xml');
        const said = readFileSync(join(folder, component, 'version.php'), 'utf8');
        return [
          component,
          {
            component,
            version: Number(readMember(said, 'version')),
            declaredTables: existsSync(declared) ? readFileSync(declared, 'utf8') : undefined,
          },
        ];
      }),
  );
}

/** Version of every component of the code; the stand-in itself is `core`. */
export function codeVersions(plugins: ReadonlyMap<string, PluginCode>): Map<string, number> {
  const versions = [...plugins.values()].map(({ component, version }) => [component, version] as const);
  return new Map([['core', Number(MOODLE_VERSION)], ...versions]);
}
