import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';
import { keptBundles } from './kept-bundles.ts';

/** Where the code of each phase function lies: one folder per function, its handler `index.handler`. */
export interface FunctionBundles {
  /** @throws Error when no source file has this name */
  folderOf(functionName: string): string;
}

/**
 * Bundles every `lambdas/*.ts` in one run of esbuild, seconds faster than one process per function. The SDK is bundled
 * too: the runtime's own copy changes under a deployed function. CDK copies the folders into the cloud assembly.
 *
 * @param keptIn folder of the bundles of earlier calls
 * @param names of the functions, without `.ts`
 * @throws Error with esbuild's own message when a source does not compile
 */
export function bundleFunctions(keptIn = cacheFolder('functions'), names = functionNames()): FunctionBundles {
  const folder = keptBundles({
    keptIn,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `lambdas/${name}.ts`])),
    sources: ['lambdas', 'image/plugins.json'],
    options: {
      // ES modules where a package has both: they shrink better.
      mainFields: ['module', 'main'],
      minify: true,
      keepNames: true,
      sourcemap: true,
      // pg asks for its native binding only when told to.
      external: ['pg-native'],
    },
  });
  return {
    folderOf(functionName) {
      if (!names.includes(functionName)) throw new Error(`There is no lambdas/${functionName}.ts to bundle.`);
      return join(folder, functionName);
    },
  };
}

function functionNames(): string[] {
  return readdirSync(fileURLToPath(new URL('../lambdas', import.meta.url)))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
}
