/** What every output of this program carries, so that nobody takes a rehearsal for a Moodle. */
export const STAND_IN = 'stand-in, not Moodle';

/** Writes one line to the container's log. */
export function say(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${STAND_IN}: ${message}\n`);
}

/** The plain words of any thrown value, without stack, command or connection string. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
