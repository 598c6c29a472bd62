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
    return value.flatMap((item, index) => member(item, `${path} ${index + 1}`.trim()));
  }
  return Object.entries(value).flatMap(([key, item]) => member(item, `${path} ${spaced(key)}`.trim()));
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

/**
 * Breaks text into lines of at most `width` characters, at spaces where there are any. Beyond `most` lines the rest is
 * cut, and an ellipsis says so.
 */
export function wrap(text: string, width: number, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  let rest = oneLine(text);
  while (rest.length > width && lines.length < most - 1) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > width / 3 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  lines.push(rest.length > width ? `${rest.slice(0, width - 1)}…` : rest);
  return lines;
}
