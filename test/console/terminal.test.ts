import { describe, expect, test, vi } from 'vitest';
import { type Drawing, drawProgress, drawSummary, unpainted } from '../../console/lines.ts';
import { readProgress } from '../../console/progress.ts';
import { openProgressView, type Screen } from '../../console/terminal.ts';
import { textWidth } from '../../console/words.ts';
import { asking } from './asking.ts';
import { definition, type History, installed, installing, putBack } from './history.ts';
import { recorded } from './recorded.ts';
import { ERASE_LINE, PART, SEQUENCE, Terminal } from './terminal-emulator.ts';

const read = (history: History) => readProgress(definition, history.execution, history.events);
const stories = { running: installing, succeeded: installed, 'put back': putBack };

describe.each([80, 200])('at %d columns', (width) => {
  test.each(Object.entries(stories))('a rollout: %s', async (name, story) => {
    const history = story();
    const drawing: Drawing = { width, paint: unpainted, now: history.at(7), frame: 0, evidenceLines: 3 };
    const progress = read(history);
    const summary = progress.status === 'running' ? [] : ['', ...drawSummary(progress, drawing)];
    const lines = drawProgress(progress, drawing);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    const file = `__snapshots__/${name.replace(' ', '-')}-${width}.txt`;
    await expect(`${[...lines, ...summary].join('\n')}\n`).toMatchFileSnapshot(file);
  });
});

describe.each([80, 200])('at %d columns, as recorded', (width) => {
  test.each([
    ['failed-verify-the-site', recorded('failed-verify-the-site')],
    ['not-put-back', recorded('not-put-back')],
    ['site-held', recorded('site-held')],
    ['stopped', recorded('stopped')],
    ['asking', asking()],
  ])('%s', async (name, { definition: text, execution, events }) => {
    const usual = { milliseconds: 125_000, runs: 5 };
    const progress = { ...readProgress(text, execution, events), usual };
    const now = new Date((events.at(-1)?.timestamp?.getTime() ?? 0) + 90_000);
    const drawing: Drawing = { width, paint: unpainted, now, frame: 0, evidenceLines: 3 };
    const lines = [...drawProgress(progress, drawing), '', ...drawSummary(progress, drawing)];
    // A command and a log's address are never broken, since they are copied.
    for (const line of lines.filter((each) => !/^ {2}(npx |Log: )/.test(each))) {
      expect(textWidth(line)).toBeLessThanOrEqual(width);
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`__snapshots__/recorded-${name}-${width}.txt`);
  });
});

function drawnAt(history: History, width: number, seconds: number): string {
  const drawing = { width, paint: unpainted, now: history.at(seconds), frame: 0, evidenceLines: 3 };
  return drawProgress(read(history), drawing).join('\n').trimEnd();
}

test('redraws in place, and writes only the lines that changed', () => {
  const screen = new Terminal();
  const history = installing();
  let now = history.at(1);
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => now);
  view.update(read(history));
  expect(screen.text).toBe(drawnAt(history, 100, 1));
  expect(screen.cursorHidden).toBe(true);
  screen.raw = '';
  now = history.at(2);
  view.update(read(history));
  expect(screen.text).toBe(drawnAt(history, 100, 2));
  // The header's and the waiting phase's elapsed time, and in its second line the time until its next attempt.
  expect(screen.raw.split(ERASE_LINE).length - 1).toBe(3);
  expect([screen.wraps, screen.draws]).toEqual([true, false]);
  screen.raw = '';
  view.update(read(history));
  expect(screen.raw).toBe('');
  view.close();
  expect(screen.cursorHidden).toBe(false);
});

test('the spinner turns by itself while the model stands still', () => {
  vi.useFakeTimers();
  const screen = new Terminal();
  const history = installing();
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => history.at(1));
  view.update(read(history));
  const before = screen.text;
  vi.advanceTimersByTime(130);
  expect(screen.text).not.toBe(before);
  expect(screen.text.replace('⠙', '⠋')).toBe(before);
  view.close();
  vi.useRealTimers();
});

test('a note goes above the view, which stays whole', () => {
  const screen = new Terminal();
  const history = installing();
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => history.at(1));
  view.update(read(history));
  view.note('PostgreSQL is up');
  expect(screen.text).toBe(`PostgreSQL is up\n${drawnAt(history, 100, 1)}`);
  view.close();
});

test('a narrower window gets a new drawing', () => {
  const screen = new Terminal();
  const history = installing();
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => history.at(1));
  view.update(read(history));
  screen.columns = 60;
  view.update(read(history));
  expect(screen.text).toBe(drawnAt(history, 60, 1));
  view.close();
});

test('a low window shows the phases without evidence, and never scrolls', () => {
  const screen = new Terminal(80, 13);
  const history = installed();
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => history.at(0));
  view.update(read(history));
  expect(screen.lines.length).toBeLessThanOrEqual(13);
  expect(screen.text).toContain('Release the site');
  view.close();
});

test('colours on a terminal, none with NO_COLOR', () => {
  const painted = new Terminal();
  const plain = new Terminal();
  for (const [screen, environment] of [
    [painted, {}],
    [plain, { NO_COLOR: '1' }],
  ] as const) {
    const view = openProgressView(screen, environment, () => installing().at(1));
    view.update(read(installing()));
    view.close();
  }
  expect(painted.raw).toContain('\x1b[32m✔\x1b[0m');
  expect(plain.raw.match(PART)?.filter((part) => part.endsWith('m') && SEQUENCE.test(part))).toEqual([]);
});

test('at the end the view stays, the summary follows, the cursor is back', () => {
  const screen = new Terminal(120);
  const history = putBack();
  const view = openProgressView(screen, { NO_COLOR: '1' }, () => history.at(0));
  view.end(read(history));
  expect(screen.text).toContain('The way back\n✔ Put back');
  expect(screen.text).toMatch(/✖ demo install failed and was put back after 25 s in “Wait for install”\./);
  expect(screen.text).toMatch(/Next:\n {2}npx lifecycle retry arn:/);
  expect(screen.cursorHidden).toBe(false);
});

test.each([
  ['no terminal', { isTTY: false }, {}],
  ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
])('plain lines, each once, on %s', async (_case, kind, environment) => {
  let text = '';
  const screen: Screen = { ...kind, write: (part: string) => (text += part) };
  const history = putBack();
  let now = history.at(0);
  const view = openProgressView(screen, environment, () => now);
  for (let length = 1; length <= history.events.length; length += 1) {
    const soFar = { ...history.execution, status: 'RUNNING' as const, stopDate: undefined, error: undefined };
    const events = history.events.slice(0, length);
    now = events.at(-1)?.timestamp ?? now;
    const shown = readProgress(definition, soFar, events);
    view.update(shown);
    view.update(shown);
  }
  view.end(read(history));
  expect(text).not.toContain('\x1b');
  await expect(text).toMatchFileSnapshot('__snapshots__/plain.txt');
});
