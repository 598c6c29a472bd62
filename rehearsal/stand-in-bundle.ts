import { join } from 'node:path';
import { cacheFolder } from '../infra/cache-folder.ts';
import { keptBundles } from '../infra/kept-bundles.ts';

let made: string | undefined;

/** The stand-in as one file: a rehearsal starts dozens of its nodes, and looking for modules is half of what a start costs. */
export function standInBundle(): string {
  made ??= join(
    keptBundles({
      keptIn: cacheFolder('stand-in'),
      entryPoints: { main: 'rehearsal/stand-in/main.ts' },
      sources: ['rehearsal/stand-in', 'rehearsal/plugin-directory/plugin-version.ts'],
      // CommonJS: an ES module that imports node:http loads fetch and all that belongs to it, which no node needs.
      options: { format: 'cjs', outExtension: { '.js': '.cjs' }, banner: {}, external: ['pg-native'] },
    }),
    'main.cjs',
  );
  return made;
}
