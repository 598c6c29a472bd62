import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { inspectSystem } from './installed-system.ts';
import { missingRequirements, type Needs, packagesOf } from './requirements.ts';

/** The system lacks something, and this process may not or cannot install it. The message holds the one command to type. */
export class PrerequisitesMissing extends Error {
  override readonly name = 'PrerequisitesMissing';
}

/**
 * Sees to it that the system packages which a rehearsal needs are there; installs them where it is root and has apt-get.
 *
 * @param say told in one line what is about to be installed
 * @throws PrerequisitesMissing with the command to type
 */
export async function ensurePrerequisites(needs: Needs, say: (line: string) => void): Promise<void> {
  const missing = missingRequirements(inspectSystem(), needs);
  if (missing.length === 0) return;
  const what = missing.map((requirement) => requirement.what).join(', ');
  const packages = packagesOf(missing);
  const command = `apt-get install --yes --no-install-recommends ${packages.join(' ')}`;
  const hasApt = inspectSystem().hasProgram('apt-get');
  if (!hasApt || process.getuid?.() !== 0) {
    const how = hasApt
      ? `Type this, and start again:\n\n    sudo apt-get update && sudo ${command}\n`
      : `There is no apt-get here; install what Debian calls ${packages.join(', ')} and start again.\n`;
    throw new PrerequisitesMissing(`This computer lacks ${what}. Nothing was started. ${how}`);
  }
  say(`Installing ${packages.join(', ')} by apt-get (their services are not started) …`);
  await withoutStartingServices(async () => {
    await run('apt-get update');
    await run(command);
  });
  const still = missingRequirements(inspectSystem(), needs);
  if (still.length > 0) {
    throw new PrerequisitesMissing(
      `apt-get installed ${packages.join(', ')}, but this is still missing: ${still.map(({ what }) => what).join(', ')}. ` +
        'See whether another PHP comes first in PATH.',
    );
  }
}

/** Debian's packages start their service at once unless this file forbids it (invoke-rc.d, policy-rc.d). */
const policyFile = '/usr/sbin/policy-rc.d';

async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(policyFile)) return work();
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(policyFile, { force: true });
  }
}

async function run(command: string): Promise<void> {
  const child = spawn('sh', ['-c', command], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    const lines = output.join('').trim().split('\n').slice(-8).join('\n');
    throw new PrerequisitesMissing(`“${command}” failed (exit code ${code}). Nothing was started.\n${lines}`);
  }
}
