import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { help, parseOptions, type RehearsalOptions, UsageError } from './options.ts';
import { PrerequisitesMissing } from './prerequisites/ensure.ts';
import { rehearseSite } from './rehearse-site.ts';

/** `npm start`: rehearses a rollout and ends with 0 (done), 1 (failed and put back) or 2 (wrong command line). */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.stdin.isTTY === true && process.stdout.isTTY === true);
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  return inFolder(options, (directory) => rehearseSite(options, directory, process.stdout));
}

/** The folder that was asked for, kept; or a temporary one, removed at the end however it ends. */
async function inFolder(options: RehearsalOptions, work: (directory: string) => Promise<number>): Promise<number> {
  if (options.data !== undefined) {
    mkdirSync(options.data, { recursive: true });
    return work(options.data);
  }
  const temporary = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-'));
  try {
    return await work(temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What the person at the keyboard can mend is said in its own words; only our own mistakes show a stack. */
function explain(error: unknown): { readonly words: string; readonly code: number } {
  if (error instanceof UsageError) return { words: `${error.message}\nSee npm start -- --help`, code: 2 };
  if (error instanceof PrerequisitesMissing) return { words: error.message, code: 1 };
  if (error instanceof Error) {
    return { words: process.env.DEBUG ? (error.stack ?? error.message) : error.message, code: 1 };
  }
  return { words: String(error), code: 1 };
}

try {
  process.exitCode = await main();
} catch (error) {
  const { words, code } = explain(error);
  process.stderr.write(`\n${words}\n`);
  process.exitCode = code;
}
