import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const repository = fileURLToPath(new URL('..', import.meta.url));
const sources = join(repository, 'lambdas');

/** Where the code of each phase function lies: one folder per function, its handler `index.handler`. */
export interface FunctionBundles {
  /** @throws Error when no source file has this name */
  folderOf(functionName: string): string;
}

/**
 * Bundles every `lambdas/*.ts` in one run of esbuild, seconds faster than one process per function. The SDK is bundled
 * too: the runtime's own copy changes under a deployed function.
 *
 * The folders live until the process ends; CDK copies them into the cloud assembly.
 *
 * @throws Error with esbuild's own message when a source does not compile
 */
export function bundleFunctions(): FunctionBundles {
  const names = readdirSync(sources)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  const staging = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-functions-'));
  process.once('exit', () => rmSync(staging, { recursive: true, force: true }));
  const { outputFiles } = buildSync({
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, join(sources, `${name}.ts`)])),
    outdir: staging,
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
    logLevel: 'silent',
  });
  for (const file of outputFiles) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.path.endsWith('.map') ? fromRepository(file.path, file.text) : file.contents);
  }
  return {
    folderOf(functionName) {
      if (!names.includes(functionName)) throw new Error(`There is no lambdas/${functionName}.ts to bundle.`);
      return join(staging, functionName);
    },
  };
}

/** A source map whose sources are named from the repository on: the same bytes, so the same asset, on every computer. */
function fromRepository(mapFile: string, map: string): string {
  const parsed = JSON.parse(map) as { sources: string[] };
  const named = parsed.sources.map((source) => relative(repository, resolve(dirname(mapFile), source)));
  return JSON.stringify({ ...parsed, sources: named });
}
