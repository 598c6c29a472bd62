import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canShareAPath, seenAt } from '../../rehearsal/machines/same-path.ts';

test.skipIf(!canShareAPath())('two processes find different folders at one path, as themselves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'same-path-'));
  try {
    const [path, ...sources] = ['path', 'one', 'other'].map((name) => join(folder, name)) as [string, string, string];
    for (const source of sources) {
      mkdirSync(source);
      writeFileSync(join(source, 'name'), source);
    }
    const seen = sources.map((source) => {
      const script = 'cat "$1/name"; echo " $(id -u)"';
      const { command, args } = seenAt({ command: 'sh', args: ['-c', script, 'sh', path] }, source, path);
      return spawnSync(command, args, { encoding: 'utf8' }).stdout.trim();
    });
    expect(seen).toEqual(sources.map((source) => `${source} ${process.getuid?.()}`));
    expect(readdirSync(path)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
