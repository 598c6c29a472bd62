import type { Progress } from './progress.ts';

/** A length of time as people say it: `4 s`, `1 min 05 s`, `2 h 03 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** JSON as "key value, key value"; empty for nothing. */
export function plainWords(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return scalar(value);
  return oneLine(pairs(value, '').join(', '));
}

function pairs(value: object, path: string): string[] {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) {
      return [`${path} ${value.map(scalar).join(' and ') || 'none'}`.trim()];
    }
    if (value.every(isFlat)) return [`${path} ${value.map(flatWords).join('; ')}`.trim()];
    return value.flatMap((item, index) => member(item, `${path} ${index + 1}`.trim()));
  }
  return Object.entries(value).flatMap(([key, item]) => member(item, `${path} ${spaced(key)}`.trim()));
}

function isFlat(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item !== 'object' || item === null);
}

/** `component mod_x from 1 to 2`. */
function flatWords(value: object): string {
  return Object.entries(value)
    .map(([key, item]) => `${spaced(key)} ${scalar(item)}`)
    .join(' ');
}

function member(item: unknown, path: string): string[] {
  if (typeof item === 'object' && item !== null) return pairs(item, path);
  return [`${path} ${scalar(item)}`];
}

function scalar(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null || value === '') return 'none';
  return oneLine(String(value));
}

/** `databaseVersion` as `database version`; a name that is no such name, for example an ARN, stays as it is. */
function spaced(key: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(key) ? key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) : key;
}

/** Without line breaks and control characters, which would draw outside their line. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** Characters that take two columns of a terminal, and those that take none. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
const mark = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of a terminal that a text takes. */
export function textWidth(text: string): number {
  // Nearly all of what is drawn.
  if (/^[\x20-\x7e·…“”’✔✖↩■⠀-⣿]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += mark.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** The text as far as it fits into so many columns, with an ellipsis where something is cut. */
export function clip(text: string, width: number): string {
  return textWidth(text) <= width ? text : `${start(text, width - 1)}…`;
}

/** The longest start of a text that takes at most so many columns. */
function start(text: string, width: number): string {
  let taken = '';
  let columns = 0;
  for (const character of text) {
    columns += textWidth(character);
    if (columns > width) break;
    taken += character;
  }
  return taken;
}

/**
 * Breaks text into lines of at most `width` columns, at spaces where there are any. Beyond `most` lines the rest is
 * cut, and an ellipsis says so.
 */
export function wrap(text: string, width: number, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  let rest = oneLine(text);
  while (textWidth(rest) > width && lines.length < most - 1) {
    const fitting = start(rest, width) || [...rest].slice(0, 1).join('');
    const space = rest.charAt(fitting.length) === ' ' ? fitting.length : fitting.lastIndexOf(' ');
    const end = space > fitting.length / 3 ? space : fitting.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  lines.push(clip(rest, width));
  return lines;
}

/** A moment as people on that computer read it, to the second: `2026-11-20 12:00:05`. */
export function moment(time: Date): string {
  const two = twoDigits;
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** How it stands with a rollout, as every view says it. */
export const outcomeWords: Readonly<Record<Progress['outcome'], string>> = {
  running: 'running',
  asking: 'waits for a person',
  succeeded: 'succeeded',
  failed: 'failed',
  'put back': 'failed and put back',
  'nothing changed': 'failed, nothing changed',
  refused: 'refused',
  stopped: 'stopped by hand',
  'timed out': 'timed out',
};
