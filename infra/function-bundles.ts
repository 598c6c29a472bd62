import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync, version } from 'esbuild';
import { keptFolder } from './kept-folder.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const sources = join(repository, 'lambdas');
const dependencies = join(repository, 'node_modules');

/** What the functions import from outside of their folder, from the repository on. */
const importedFromOutside = ['image/plugins.json'];

/** Where the code of each phase function lies: one folder per function, its handler `index.handler`. */
export interface FunctionBundles {
  /** @throws Error when no source file has this name */
  folderOf(functionName: string): string;
}

const options = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // ES modules where a package has both: they shrink better.
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  // pg asks for its native binding only when told to.
  external: ['pg-native'],
  // CommonJS packages inside an ES module still call require() for Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  write: false,
  metafile: true,
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Bundles every `lambdas/*.ts` in one run of esbuild, seconds faster than one process per function. The SDK is bundled
 * too: the runtime's own copy changes under a deployed function.
 *
 * The bundles are kept for as long as what they are made from is the same: making them takes most of a synthesis's time.
 * CDK copies them into the cloud assembly.
 *
 * @param keptIn folder of the bundles of earlier calls
 * @throws Error with esbuild's own message when a source does not compile
 */
export function bundleFunctions(keptIn = join(dependencies, '.cache/moodle-lifecycle/functions')): FunctionBundles {
  const names = readdirSync(sources)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  const folder = keptFolder(keptIn, digestOfSources(), (made) => bundle(names, made));
  return {
    folderOf(functionName) {
      if (!names.includes(functionName)) throw new Error(`There is no lambdas/${functionName}.ts to bundle.`);
      return join(folder, functionName);
    },
  };
}

function bundle(names: readonly string[], outdir: string): void {
  const { outputFiles, metafile } = buildSync({
    ...options,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, join(sources, `${name}.ts`)])),
    outdir,
    absWorkingDir: repository,
  });
  const unexpected = Object.keys(metafile.inputs).filter((input) => !isInDigest(resolve(repository, input)));
  if (unexpected.length > 0)
    throw new Error(
      `The functions import ${unexpected.join(', ')}: name it in importedFromOutside, or its changes are missed.`,
    );
  for (const file of outputFiles) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.path.endsWith('.map') ? fromRepository(file.path, file.text) : file.contents);
  }
}

/** Of all that makes the bundles; of the dependencies, what npm says that it installed. */
function digestOfSources(): string {
  const own = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(repository, join(parentPath, name)))
    .sort();
  // The maps name sources below node_modules, which may be a link.
  const linked = relative(repository, realpathSync(dependencies));
  const digest = createHash('sha256').update(JSON.stringify({ ...options, version, linked }));
  const others = ['infra/function-bundles.ts', ...importedFromOutside, 'node_modules/.package-lock.json'];
  for (const file of [...own, ...others]) digest.update(`\n${file}\n`).update(readFileSync(join(repository, file)));
  return digest.digest('hex').slice(0, 32);
}

function isInDigest(file: string): boolean {
  return (
    [`${sources}/`, `${realpathSync(dependencies)}/`].some((folder) => file.startsWith(folder)) ||
    importedFromOutside.some((outside) => file === join(repository, outside))
  );
}

/** A source map whose sources are named from the repository on: the same bytes, so the same asset, on every computer. */
function fromRepository(mapFile: string, map: string): string {
  const parsed = JSON.parse(map) as { sources: string[] };
  const named = parsed.sources.map((source) => relative(repository, resolve(dirname(mapFile), source)));
  return JSON.stringify({ ...parsed, sources: named });
}
