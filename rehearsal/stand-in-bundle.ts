import { join } from 'node:path';
import { keptBundles, keptBundlesFolder } from '../infra/kept-bundles.ts';

let made: string | undefined;

/** The stand-in as one file: a rehearsal starts dozens of its nodes, and looking for modules is half of what a start costs. */
export function standInBundle(): string {
  made ??= join(
    keptBundles({
      keptIn: keptBundlesFolder('stand-in'),
      entryPoints: { main: 'rehearsal/stand-in/main.ts' },
      sources: ['rehearsal/stand-in', 'rehearsal/plugin-directory/plugin-version.ts'],
      // So that of the databases' drivers only the one is loaded that is used.
      options: { splitting: true, external: ['pg-native'] },
    }),
    'main.mjs',
  );
  return made;
}
