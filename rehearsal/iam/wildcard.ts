/** Whether a text matches an IAM pattern, in which `*` is any characters and `?` is one. */
export function matchesWildcard(pattern: string, text: string, ignoreCase = false): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, ignoreCase ? 'is' : 's').test(text);
}

/** Whether an ARN matches a pattern: each of the six parts by itself, so that a `*` does not reach past a colon. */
export function matchesArn(pattern: string, text: string): boolean {
  const wanted = parts(pattern);
  const found = parts(text);
  return wanted.length === found.length && wanted.every((part, index) => matchesWildcard(part, found[index] ?? ''));
}

function parts(arn: string): string[] {
  const words = arn.split(':');
  return [...words.slice(0, 5), words.slice(5).join(':')];
}
