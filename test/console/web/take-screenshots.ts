/**
 * Draws docs/images/ anew from recorded histories: npm run screenshots.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { executionName } from '../../../console/api/actions.ts';
import type { Recording } from '../../../console/api/recording.ts';
import { cutShort, recorded } from '../recorded.ts';
import { openBrowser } from './browser.ts';
import { lastEventAt, named, openScene } from './scene.ts';
import { squeezePng } from './squeeze-png.ts';

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
/** So that nothing in the images changes from day to day. */
const now = new Date('2026-11-21T12:00:00Z');
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

const wide: BrowserContextOptions = { viewport: { width: 1000, height: 960 }, colorScheme: 'light' };
const high: BrowserContextOptions = { ...wide, viewport: { width: 1000, height: 1240 } };
const low: BrowserContextOptions = { ...wide, viewport: { width: 1000, height: 720 } };
const narrow: BrowserContextOptions = { viewport: { width: 400, height: 820 }, colorScheme: 'dark' };

const browser = await openBrowser();
const scene = await openScene({ where: 'the rehearsal at http://127.0.0.1:4566', read: { rehearsal: {} } });
try {
  const add = (recording: Recording, by: string, lastEvent: Date, machine: string, kind: string) => {
    const moved = lastEventAt(recording, lastEvent);
    const name = executionName(by, moved.execution.startDate).replace(/\w{4}$/, 'k3f9');
    return scene.api.add(named(moved, machine, name), 'demo', kind);
  };
  const running = add(untilSessionsMove(recorded('fresh-install')), 'ada', ago(0.05), 'DemoInstall', 'install');
  add(recorded('fresh-install'), 'ada', ago(10_123), 'DemoInstall', 'install');
  const putBack = add(recorded('session-store-unreachable'), 'ada', ago(11_047), 'DemoInstall', 'install');
  add(recorded('site-held'), 'grace', ago(11_411), 'DemoInstall', 'install');
  const asking = add(recorded('update-asking'), 'nightly', ago(14), 'DemoPluginUpdate', 'plugin-update');
  add(recorded('held'), 'grace', ago(11_420), 'DemoHold', 'hold');

  const shots: readonly [string, BrowserContextOptions, (page: Page) => Promise<void>][] = [
    ['list', low, async () => undefined],
    ['running', wide, (page) => open(page, running)],
    ['put-back', high, (page) => open(page, putBack)],
    ['asking', wide, (page) => open(page, asking)],
    ['start-form', low, (page) => page.getByRole('button', { name: 'Start install…' }).click()],
    ['dark-narrow', narrow, (page) => open(page, running)],
  ];
  mkdirSync(folder, { recursive: true });
  for (const [name, options, prepare] of shots) {
    const context = await browser.newContext({
      ...options,
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.clock.setFixedTime(now);
    await page.goto(scene.console.url);
    await page.getByRole('heading', { name: 'demo', exact: true }).waitFor();
    await prepare(page);
    writeFileSync(`${folder}${name}.png`, squeezePng(await page.screenshot({ animations: 'disabled' })));
    await context.close();
  }
} finally {
  await browser.close();
  await scene.close();
}

/** An install as it was when it had just begun to move the sessions. */
function untilSessionsMove(whole: Recording): Recording {
  const entered = whole.events.findIndex((event) => event.stateEnteredEventDetails?.name === 'Enable session caching');
  return cutShort(whole, entered + 3);
}

async function open(page: Page, arn: string): Promise<void> {
  await page.evaluate(`location.hash = '#/execution/' + encodeURIComponent(${JSON.stringify(arn)})`);
  await page.locator('article.rollout').waitFor();
}
