import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Recording } from '../../../console/api/recording.ts';
import { asking, token as taskToken } from '../asking.ts';
import { installed, installing } from '../history.ts';
import { recorded, recordedText } from '../recorded.ts';
import { openBrowser } from './browser.ts';
import { recordingOf, running, tenThousandEvents, waiting } from './recordings.ts';
import { lastEventAt, openScene, type Scene } from './scene.ts';

let browser: Browser;
let scene: Scene;
let page: Page;
/** What the page asked for, and what it complained about. */
let requests: string[];
let complaints: string[];

beforeAll(async () => {
  [browser, scene] = await Promise.all([openBrowser(), openScene()]);
});
afterAll(async () => {
  await browser?.close();
  await scene?.close();
});

beforeEach(async () => {
  scene.api.forget();
  page = await openPage();
});
afterEach(async () => {
  await page.context().close();
  expect(complaints).toEqual([]);
});

async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(15_000);
  const opened = await context.newPage();
  requests = [];
  complaints = [];
  opened.on('request', (request) => requests.push(request.url()));
  opened.on('pageerror', (error) => complaints.push(String(error)));
  opened.on('console', (message) => {
    // A connection that a test cuts is said on the console too, by Chromium itself.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  return opened;
}

/** Opens the page at an execution, as from the list. */
async function show(recording: Recording, lastEvent = new Date(), { api, console } = scene): Promise<string> {
  const arn = api.add(lastEventAt(recording, lastEvent));
  await page.goto(console.url);
  await page.evaluate(`location.hash = '#/execution/' + encodeURIComponent(${JSON.stringify(arn)})`);
  await page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Sites' }).waitFor();
  return arn;
}

const phase = (title: string) => page.locator('li.phase').filter({ has: page.getByRole('heading', { name: title }) });
const outcome = () => page.locator('p.outcome');
const words = () => page.locator('main').innerText();
const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('the list', () => {
  it('has every site with its rollouts, newest first, and how they ended; nothing from elsewhere is asked for', async () => {
    for (const name of ['fresh-install', 'converged', 'input-refused', 'held']) {
      scene.api.add(recorded(name), 'demo', name === 'held' ? 'hold' : 'install');
    }
    await page.goto(scene.console.url);
    await page.getByRole('heading', { name: 'demo' }).waitFor();
    const runs = page.getByRole('region', { name: 'install' }).getByRole('listitem');
    expect(await runs.allInnerTexts()).toEqual([
      expect.stringMatching(/failed/),
      expect.stringMatching(/succeeded/),
      expect.stringMatching(/succeeded[\s\S]*\d+ s/),
    ]);
    expect(await page.locator('.where').innerText()).toContain(scene.api.url);
    expect(page.url()).not.toContain(scene.token);
    expect(requests.length).toBeGreaterThan(3);
    expect(requests.filter((url) => !url.startsWith(`${scene.origin}/`) && !url.startsWith('data:'))).toEqual([]);
    await runs.first().getByRole('link').click();
    await outcome().waitFor();
    expect(await outcome().innerText()).toBe('refused');
  });

  it('says what to do where there is no site', async () => {
    await page.goto(scene.console.url);
    await page.getByText('npx lifecycle rehearse').waitFor();
    expect(await words()).toContain('There is no site');
  });
});

describe('one rollout', () => {
  it('that runs shows its phase, evidence and figures, and can be stopped', async () => {
    const arn = await show(running());
    expect(await outcome().innerText()).toBe('running');
    expect(await phase('Wait for install').getAttribute('aria-current')).toBe('step');
    expect(await phase('Wait for install').innerText()).toContain('120 of 483');
    expect(await phase('Check the site').innerText()).toMatch(/done[\s\S]*PostgreSQL 16\.4/);
    expect(await phase('Fix lastip').innerText()).toContain('not begun');
    expect(await page.locator('dl.facts').innerText()).toMatch(/Phase\s+4 of 10/);
    await button('Stop…').click();
    const dialog = page.getByRole('dialog', { name: 'Stop this rollout?' });
    await dialog.getByRole('textbox').fill('wrong image');
    await dialog.getByRole('button', { name: 'Stop it' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(calls('StopExecution')).toEqual([
      expect.objectContaining({ executionArn: arn, cause: expect.stringMatching(/^Stopped by .+: wrong image\.$/) }),
    ]);
  });

  it('that waits says why, and when the next attempt comes', async () => {
    await show(waiting());
    const told = await phase('Wait for install').innerText();
    expect(told).toMatch(/tries again[\s\S]*next within \d+ s \(\d+ left\)[\s\S]*120 of 483 tables/);
  });

  it('that failed says phase, cause, error name, last evidence and the next command', async () => {
    await show(recorded('not-all-put-back'));
    expect(await outcome().innerText()).toBe('failed');
    const told = await page.locator('.what-next').innerText();
    expect(told).toMatch(/Error name, for the runbook:\s+UnexpectedError/);
    expect(told).toContain('Last evidence, of');
    expect(told).toContain('npx lifecycle');
    expect(await page.locator('section.way-back').innerText()).toContain('Put back');
  });

  it('that was put back shows which phases were, and is tried again when asked', async () => {
    const arn = await show(recorded('session-store-unreachable'));
    expect(await outcome().innerText()).toBe('failed and put back');
    expect(await phase('Start one node').innerText()).toContain('put back');
    await button('Retry…').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry', exact: true }).click();
    await expect.poll(() => decodeURIComponent(page.url())).not.toContain(arn);
    expect(calls('StartExecution')).toEqual([
      expect.objectContaining({ stateMachineArn: arn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '') }),
    ]);
  });

  it('that asks a person shows what about, and sends the answer', async () => {
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await show(asking(), anHourAgo);
    expect(await outcome().innerText()).toBe('waits for a person');
    // What came before is seen beside an hour of waiting.
    expect(await page.locator('.legend').innerText()).toContain('long wait, drawn short');
    expect((await phase('Find updates').locator('.bar').boundingBox())?.width).toBeGreaterThan(20);
    expect(await phase('Wait for approval').innerText()).toMatch(/What is asked[\s\S]*mod_attendance/);
    expect(await page.content()).not.toContain(taskToken);
    await button('Refuse…').click();
    const refusal = page.getByRole('dialog', { name: 'Refuse this rollout?' });
    await refusal.getByRole('button', { name: 'Refuse', exact: true }).click();
    expect(await refusal.isVisible()).toBe(true);
    await refusal.getByLabel('Why').fill('exam week');
    await refusal.getByRole('button', { name: 'Refuse', exact: true }).click();
    await refusal.waitFor({ state: 'hidden' });
    expect(calls('SendTaskFailure')).toEqual([
      expect.objectContaining({ taskToken, error: 'ApprovalRefused', cause: expect.stringContaining('exam week') }),
    ]);
    await button('Approve…').click();
    const approval = page.getByRole('dialog', { name: 'Approve this rollout?' });
    await approval.getByRole('button', { name: 'Approve', exact: true }).click();
    await approval.waitFor({ state: 'hidden' });
    expect(calls('SendTaskSuccess')).toEqual([expect.objectContaining({ taskToken })]);
  });

  it('that AWS refuses to act on says so in the dialog, and leaves it open', async () => {
    await show(asking());
    scene.api.intercept = ({ operation }) =>
      operation === 'SendTaskSuccess' ? { __type: 'TaskTimedOut', message: 'Task Timed Out' } : undefined;
    await button('Approve…').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'The question has expired' }).waitFor();
  });

  it('of ten thousand events is drawn at once, with no more bars than can be seen', async () => {
    const before = Date.now();
    await show(tenThousandEvents());
    // Takes two seconds on a computer that has other things to do.
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(await phase('Wait for install').innerText()).toMatch(/\d{4} attempts/);
    expect(await phase('Wait for install').locator('.bar').count()).toBeLessThanOrEqual(120);
  });

  it('that there is not, says so in a sentence', async () => {
    await page.goto(scene.console.url);
    await page.evaluate(`location.hash = '#/execution/arn:aws:states:eu-west-1:111122223333:execution:Demo:none'`);
    await page.getByRole('alert').filter({ hasText: 'There is no such execution' }).waitFor();
  });
});

describe('live', () => {
  it('shows a change within a second, nothing while it is paused, and what it missed after', { retry: 2 }, async () => {
    const now = new Date();
    await show(recordingOf(installing()), now);
    const further = installing().begin(10);
    for (const tables of [200, 300]) {
      further.fail('InstallStillRunning', `${tables} of 483 tables`);
      scene.api.add(lastEventAt(recordingOf(further), now));
      await phase('Wait for install').getByText(`${tables} of 483 tables`).first().waitFor({ timeout: 1_000 });
      further.begin(10);
    }
    await button('Pause').click();
    await page.getByText('this view is paused').waitFor();
    scene.api.add(lastEventAt(recordingOf(installed()), now));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await outcome().innerText()).toContain('running');
    await button('Go on showing').click();
    await outcome().filter({ hasText: 'succeeded' }).waitFor();
  });

  it('says that the connection is lost, keeps what it knows, and says no more of it once it is back', async () => {
    await show(running());
    scene.api.intercept = (_, response) => {
      response.destroy();
      return 'answered';
    };
    const trouble = page.getByRole('alert').filter({ hasText: 'does not answer' });
    await trouble.waitFor();
    expect(await trouble.innerText()).toContain('Is the rehearsal still up?');
    expect(await phase('Check the site').innerText()).toContain('done');
    scene.api.intercept = () => undefined;
    await trouble.waitFor({ state: 'hidden' });
  });

  it('says it when the console in the terminal has ended', async () => {
    const own = await openScene();
    try {
      await show(running(), new Date(), own);
      await own.console.close();
      await page.getByRole('alert').filter({ hasText: 'Start it again: npx lifecycle console' }).waitFor();
      expect(await phase('Check the site').innerText()).toContain('done');
    } finally {
      await own.api.close();
    }
  });
});

describe('by keyboard alone', () => {
  const focused = () => page.evaluate<string>('document.activeElement.innerText || document.activeElement.id');

  it('one comes from the list into a rollout, asks to stop it, and leaves it be', async () => {
    scene.api.add(lastEventAt(running(), new Date()));
    await page.goto(scene.console.url);
    await page.getByRole('link', { name: 'first-install' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await tabTo('first-install');
    await page.keyboard.press('Enter');
    await outcome().waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await tabTo('Stop…');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Stop this rollout?' });
    await dialog.waitFor();
    expect(await page.evaluate('document.activeElement.closest("dialog") !== null')).toBe(true);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await focused()).toBe('Stop…');
    await tabTo('Save the history');
    expect(calls('StopExecution')).toEqual([]);
  });

  async function tabTo(text: string): Promise<void> {
    for (let presses = 0; presses < 25; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await focused()) === text) return;
    }
    throw new Error(`Tab does not reach “${text}”.`);
  }
});

describe('a saved history', () => {
  const folder = mkdtempSync(join(tmpdir(), 'saved-history-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is opened, and shown without anything to do about it', async () => {
    const file = join(folder, 'run.json');
    writeFileSync(file, recordedText('update-refused'));
    await page.goto(scene.console.url);
    await page.getByLabel('Open a saved history…').setInputFiles(file);
    await page.getByText('From a saved history').waitFor();
    expect(await outcome().innerText()).toBe('refused');
    expect(await page.getByRole('button', { name: 'Retry…' }).count()).toBe(0);
  });

  it('that is none is refused with what is missing', async () => {
    const file = join(folder, 'none.json');
    writeFileSync(file, '{"events": []}');
    await page.goto(scene.console.url);
    await page.getByLabel('Open a saved history…').setInputFiles(file);
    await page.getByRole('alert').filter({ hasText: 'This file is no saved history. It has no member' }).waitFor();
  });

  it('is what the page saves of a rollout, without the token to decide in another’s place', async () => {
    await show(asking());
    const [download] = await Promise.all([page.waitForEvent('download'), button('Save the history').click()]);
    expect(download.suggestedFilename()).toBe('nightly.history.json');
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    expect(JSON.parse(text)).toMatchObject({ execution: { name: 'nightly' } });
    expect(text).not.toContain(taskToken);
  });
});

describe('starting', () => {
  it('sends what the form says, in the types of the schema, and shows the rollout', async () => {
    scene.api.add(recorded('fresh-install'));
    await page.goto(scene.console.url);
    await button('Start install…').click();
    const dialog = page.getByRole('dialog', { name: 'Start install on demo' });
    await dialog.getByLabel('nodes').fill('0');
    await dialog.getByRole('button', { name: 'Start install' }).click();
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByLabel('nodes').fill('3');
    await dialog.getByLabel('finish').selectOption('browser');
    await dialog.getByLabel('Admin ip').fill('203.0.113.7');
    await dialog.getByLabel('existing site').selectOption('false');
    await dialog.getByRole('button', { name: 'Start install' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const [started] = calls('StartExecution');
    expect(JSON.parse(started?.input ?? '')).toEqual({
      nodes: 3,
      finish: 'browser',
      adminIp: '203.0.113.7',
      existingSite: false,
    });
    expect(decodeURIComponent(page.url())).toContain(started?.name);
  });
});

function calls(operation: string) {
  return scene.api.calls.filter((call) => call.operation === operation).map(({ input }) => input);
}
