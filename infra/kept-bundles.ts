import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync, version } from 'esbuild';
import { keptFolder } from './kept-folder.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const dependencies = join(repository, 'node_modules');

/** What npm says that it installed; where another package manager did, what was to be. */
const installed = ['node_modules/.package-lock.json', 'package-lock.json'].find((file) =>
  existsSync(join(repository, file)),
);

export interface BundlesRequest {
  /** Folder of the bundles of earlier calls. */
  readonly keptIn: string;
  /** Source files by the names of their bundles; all paths are from the repository on. */
  readonly entryPoints: Readonly<Record<string, string>>;
  /** Files and folders of which the bundles are made, beside the dependencies. */
  readonly sources: readonly string[];
  readonly options?: Pick<
    BuildOptions,
    'minify' | 'keepNames' | 'external' | 'mainFields' | 'sourcemap' | 'format' | 'outExtension' | 'banner'
  >;
}

const usual = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcesContent: false,
  // CommonJS packages inside an ES module still call require() for Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  write: false,
  metafile: true,
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Bundles TypeScript for Node. The bundles are kept for as long as what they are made from is the same: making them takes
 * seconds.
 *
 * @returns the folder with a `<name>.mjs` for each entry point, unless `options` want another format
 * @throws Error with esbuild's own message when a source does not compile
 */
export function keptBundles(request: BundlesRequest): string {
  return keptFolder(request.keptIn, digestOf(request), (folder) => bundle(request, folder));
}

function bundle({ entryPoints, sources, options }: BundlesRequest, outdir: string): void {
  const { outputFiles, metafile } = buildSync({
    ...usual,
    ...options,
    entryPoints: Object.fromEntries(
      Object.entries(entryPoints).map(([name, source]) => [name, join(repository, source)]),
    ),
    outdir,
    absWorkingDir: repository,
  });
  const known = [...sources.map((source) => join(repository, source)), realpathSync(dependencies)];
  const unexpected = Object.keys(metafile.inputs).filter((input) => {
    const file = resolve(repository, input);
    return !known.some((one) => file === one || file.startsWith(`${one}/`));
  });
  if (unexpected.length > 0)
    throw new Error(
      `The bundles import ${unexpected.join(', ')}: name it in their sources, or its changes are missed.`,
    );
  for (const file of outputFiles) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.path.endsWith('.map') ? fromRepository(file.path, file.text) : file.contents);
  }
}

/** Of all that makes the bundles. */
function digestOf({ entryPoints, sources, options }: BundlesRequest): string {
  // The maps name sources below node_modules, which may be a link.
  const linked = relative(repository, realpathSync(dependencies));
  const digest = createHash('sha256').update(JSON.stringify({ ...usual, ...options, entryPoints, version, linked }));
  const files = [...sources, 'infra/kept-bundles.ts', ...(installed ? [installed] : [])].flatMap(filesOf);
  for (const file of files) digest.update(`\n${file}\n`).update(readFileSync(join(repository, file)));
  return digest.digest('hex').slice(0, 32);
}

function filesOf(source: string): string[] {
  const path = join(repository, source);
  if (!statSync(path).isDirectory()) return [source];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(repository, join(parentPath, name)))
    .sort();
}

/** A source map whose sources are named from the repository on: the same bytes, so the same asset, on every computer. */
function fromRepository(mapFile: string, map: string): string {
  const parsed = JSON.parse(map) as { sources: string[] };
  const named = parsed.sources.map((source) => relative(repository, resolve(dirname(mapFile), source)));
  return JSON.stringify({ ...parsed, sources: named });
}
