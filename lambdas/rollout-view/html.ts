import type { PhaseState, SeenPhase } from './phases.ts';
import type { SeenRollout, SeenRollouts } from './read-rollouts.ts';

export type Theme = 'light' | 'dark';

/** A sign beside each colour: who does not see colours reads the same. */
const signs: Readonly<Record<PhaseState, string>> = {
  done: '✔',
  'at work': '…',
  failed: '✖',
  stopped: '■',
  'to come': '·',
  'left out': '–',
};

const statusWords: Readonly<Record<string, readonly [words: string, state: PhaseState]>> = {
  RUNNING: ['at work', 'at work'],
  PENDING_REDRIVE: ['at work', 'at work'],
  SUCCEEDED: ['succeeded', 'done'],
  FAILED: ['failed', 'failed'],
  TIMED_OUT: ['timed out', 'failed'],
  ABORTED: ['stopped by hand', 'stopped'],
};

/** Of CloudWatch's own palette for each theme: at least 4.5 to 1 against its background. */
const colours: Readonly<Record<Theme, Readonly<Record<PhaseState, string>>>> = {
  light: {
    done: '#1d8102',
    'at work': '#0073bb',
    failed: '#d13212',
    stopped: '#d13212',
    'to come': '#687078',
    'left out': '#687078',
  },
  dark: {
    done: '#6aaf35',
    'at work': '#44b9d6',
    failed: '#ff5d64',
    stopped: '#ff5d64',
    'to come': '#95a5a6',
    'left out': '#95a5a6',
  },
};

/** Characters of a note that is not the last word of a failure. */
const shortNote = 200;

/** @returns HTML for a custom widget of CloudWatch, which takes no script and brings its own style for tables */
export function drawRollouts(site: string, { rollouts, median }: SeenRollouts, now: Date, theme: Theme): string {
  if (rollouts.length === 0) return `<p>No rollout of ${escaped(site)} was started yet.</p>`;
  const withPhases = rollouts.filter(({ phases }) => phases !== undefined);
  return [
    ...withPhases.map((rollout) => drawOne(rollout, median.get(rollout.name), now, theme)),
    '<h4>Last rollouts</h4>',
    '<table><thead><tr><th>Began (UTC)</th><th>Rollout</th><th>End</th><th>Took</th><th>Cause</th></tr></thead><tbody>',
    ...rollouts.map((rollout) => drawRow(rollout, now, theme)),
    '</tbody></table>',
  ].join('\n');
}

function drawOne(
  { name, execution, cause, phases = [] }: SeenRollout,
  median: number | undefined,
  now: Date,
  theme: Theme,
) {
  const [status, state] = statusWords[execution.status ?? ''] ?? ['', 'to come'];
  const usual = median === undefined || Number.isNaN(median) ? '' : `, usually ${duration(median)}`;
  return [
    `<h3>${link(name, execution.executionArn)}: ${coloured(state, status, theme)} after ${took(execution, now)}${usual}</h3>`,
    cause === undefined ? '' : `<p>${lines(cause)}</p>`,
    '<table><thead><tr><th>Phase</th><th>Time</th><th>Attempts</th><th>Last said</th></tr></thead><tbody>',
    ...phases.map((phase) => drawPhase(phase, now, theme)),
    '</tbody></table>',
  ].join('\n');
}

function drawPhase({ title, state, began, ended, attempts, note }: SeenPhase, now: Date, theme: Theme): string {
  const time = began ? duration((ended ?? now).getTime() - began.getTime()) : '';
  return (
    `<tr><td>${coloured(state, signs[state], theme, state)} ${escaped(title)}</td><td>${time}</td>` +
    `<td>${attempts || ''}</td><td>${escaped(cut(note ?? ''))}</td></tr>`
  );
}

function drawRow({ name, execution, cause }: SeenRollout, now: Date, theme: Theme): string {
  const [status, state] = statusWords[execution.status ?? ''] ?? ['', 'to come'];
  const began = execution.startDate?.toISOString().slice(0, 16).replace('T', ' ') ?? '';
  return (
    `<tr><td>${began}</td><td>${link(name, execution.executionArn)}</td>` +
    `<td>${coloured(state, `${signs[state]} ${status}`, theme)}</td><td>${took(execution, now)}</td>` +
    `<td>${escaped(cut(cause ?? ''))}</td></tr>`
  );
}

function coloured(state: PhaseState, words: string, theme: Theme, title = ''): string {
  const label = title ? ` title="${title}" aria-label="${title}" role="img"` : '';
  return `<span style="color:${colours[theme][state]};font-weight:bold"${label}>${escaped(words)}</span>`;
}

function link(name: string, executionArn = ''): string {
  const region = executionArn.split(':')[3] ?? '';
  const address = `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`;
  return `<a href="${escaped(address)}">${escaped(name)}</a>`;
}

function took({ startDate, stopDate }: SeenRollout['execution'], now: Date): string {
  return startDate ? duration((stopDate ?? now).getTime() - startDate.getTime()) : '';
}

/** `4 s`, `1 min 05 s`, `2 h 03 min`. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
}

function cut(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  return line.length > shortNote ? `${line.slice(0, shortNote - 1)}…` : line;
}

function lines(words: string): string {
  return words.split('\n').map(escaped).join('<br>');
}

/** Causes hold what Moodle, AWS and people said: none of it may be markup. */
export function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
