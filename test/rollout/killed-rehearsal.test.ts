import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemblyFor } from '../support/assembly.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';

const main = fileURLToPath(new URL('../../rehearsal/main.ts', import.meta.url));

/** Each is killed in its middle, in this order, on one and the same site. Every start deploys the site again. */
const phases = ['Wait for install', 'Enable session caching'];

describe('a rehearsal that is killed and started again on the same data', () => {
  let data: string;
  let cloudAssembly: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    cloudAssembly = await assemblyFor({ site: 'demo' });
    data = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'killed-'));
  });
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  });

  /** Runs until the output has this text, then kills with no chance to clean up; or until it ends by itself. */
  async function rehearse(killAt?: RegExp): Promise<{ output: string; code: number | null }> {
    const child = spawn(
      process.execPath,
      [
        main,
        ...['--moodle', 'stand-in', '--cloud-assembly', cloudAssembly, '--data', data],
        ...['--pace', '60', '--nodes', '2', '--no-keep'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    running.push(child);
    let output = '';
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        if (killAt?.test(output)) child.kill('SIGKILL');
      });
    }
    return { code: await ended, output };
  }

  it.each(phases)('“%s”: leaves no process behind', async (phase) => {
    const { output } = await rehearse(new RegExp(`${phase}: (running|waiting)`));
    expect(output).toContain(`${phase}: `);
    await expect.poll(() => processesIn(data)).toEqual([]);
  });

  it('converges in the end', async () => {
    const { output, code } = await rehearse();
    expect(output).toContain('Release the site: succeeded');
    expect(code).toBe(0);
    await expect.poll(() => processesIn(data)).toEqual([]);
  });
});

/** Command lines of the processes that work in a folder, by their arguments or their environment. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => `${read(pid, 'cmdline')}${read(pid, 'environ')}`.includes(folder))
    .map((pid) => read(pid, 'cmdline').replaceAll('\0', ' '));
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
