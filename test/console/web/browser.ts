import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/**
 * Starts the system's own Chromium, without a window.
 *
 * @throws Error saying what to install where there is none
 */
export function openBrowser(): Promise<Browser> {
  const executablePath = (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, 'chromium'))
    .find((file) => existsSync(file));
  if (executablePath === undefined) {
    throw new Error('There is no chromium in the PATH. Install it: sudo apt-get install chromium');
  }
  // Chromium's sandbox does not work for root, and in most containers; it is shown pages of this computer alone.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
