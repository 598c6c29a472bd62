import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asking } from '../asking.ts';
import { recorded } from '../recorded.ts';
import { openBrowser } from './browser.ts';
import { running } from './recordings.ts';
import { lastEventAt, named, openScene, type Scene } from './scene.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let scene: Scene;
/** Execution ARNs of what is looked at. */
let rollouts: Readonly<Record<'running' | 'failed' | 'put back' | 'asking', string>>;

beforeAll(async () => {
  [browser, scene] = await Promise.all([openBrowser(), openScene()]);
  rollouts = {
    running: scene.api.add(lastEventAt(running(), new Date())),
    failed: scene.api.add(named(recorded('not-put-back'), 'DemoInstall', 'not-put-back')),
    'put back': scene.api.add(named(recorded('failed-verify-the-site'), 'DemoInstall', 'put-back')),
    asking: scene.api.add(lastEventAt(asking(), new Date()), 'demo', 'plugin-update'),
  };
});
afterAll(async () => {
  await browser?.close();
  await scene?.close();
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function openRollout(page: Page, arn: string): Promise<void> {
  await page.evaluate(`location.hash = '#/execution/' + encodeURIComponent(${JSON.stringify(arn)})`);
  await page.locator('article.rollout', { hasText: arn.replace(/.*:/, '') }).waitFor();
}

/** In this order, each from where the one before ended. */
const views: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  list: async (page) => {
    await page.goto(scene.console.url);
    await page.getByRole('heading', { name: 'demo' }).waitFor();
  },
  'form to start': (page) => button(page, 'Start install…').click(),
  'rollout that runs': async (page) => {
    await page.keyboard.press('Escape');
    await openRollout(page, rollouts.running);
  },
  'rollout that failed': (page) => openRollout(page, rollouts.failed),
  'rollout that was put back, with its evidence open': async (page) => {
    await openRollout(page, rollouts['put back']);
    await page.evaluate('document.querySelectorAll("details").forEach((details) => { details.open = true; })');
  },
  'rollout that asks': (page) => openRollout(page, rollouts.asking),
  'question before it goes on': (page) => button(page, 'Approve…').click(),
  'lost connection': async (page) => {
    await page.keyboard.press('Escape');
    scene.api.intercept = () => ({ __type: 'AccessDeniedException', message: 'not authorized' });
    await page.getByRole('alert').filter({ hasText: 'AWS does not let you do this' }).waitFor();
    scene.api.intercept = () => undefined;
  },
};

describe.each([
  ['light', 1200],
  ['light', 400],
  ['dark', 1200],
  ['dark', 400],
] as const)('in %s colours, %i pixels wide', (colorScheme, width) => {
  it('no view breaks a rule of accessibility, and none scrolls sideways', async () => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    try {
      const page = await context.newPage();
      const found: string[] = [];
      for (const [name, open] of Object.entries(views)) {
        await open(page);
        found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`));
        if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) found.push(`${name}: too wide`);
      }
      expect(found).toEqual([]);
    } finally {
      await context.close();
    }
  });
});

async function violationsOf(page: Page): Promise<string[]> {
  // As a value, not as a script of the page: its content security policy lets none in.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe);
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => [id, help, target.join(' '), failureSummary].join(' | '))))`,
  );
}
