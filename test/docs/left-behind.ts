import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What docs/migration.md leaves on the old servers of a site, as tar's patterns. */
export const leftBehindFile = fileURLToPath(new URL('../../docs/left-behind.txt', import.meta.url));
export const leftBehind = readFileSync(leftBehindFile, 'utf8').trim().split('\n');

/** The command by which it takes the rest. */
export const tarCommand =
  /^ {4}(tar --create .*)$/m.exec(readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8'))?.[1] ?? '';
