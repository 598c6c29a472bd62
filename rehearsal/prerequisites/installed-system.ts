import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { InstalledSystem } from './requirements.ts';

/** Where a login shell without administrator's PATH does not look, but php-fpm and nginx are. */
const administratorFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

export function inspectSystem(): InstalledSystem {
  const folders = new Set([...(process.env.PATH ?? '').split(':').filter(Boolean), ...administratorFolders]);
  const programs = new Set([...folders].flatMap(filesIn));
  const hasProgram = (name: string | RegExp) =>
    typeof name === 'string' ? programs.has(name) : [...programs].some((program) => name.test(program));
  return { hasProgram, phpExtensions: hasProgram('php') ? phpExtensions() : new Set() };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function phpExtensions(): Set<string> {
  try {
    const lines = execFileSync('php', ['-m'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
    return new Set(lines.map((line) => line.trim().toLowerCase()));
  } catch {
    return new Set();
  }
}
