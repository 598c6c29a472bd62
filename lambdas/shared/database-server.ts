import { type MoodleDatabase, text } from './moodle-database.ts';

export interface DatabaseServer {
  readonly version: string;
  /** Of the quickest of five round trips. */
  readonly milliseconds: number;
}

export async function measureDatabase(database: MoodleDatabase): Promise<DatabaseServer> {
  const [row] = await database.query(`SELECT ${database.dialect.serverVersion} AS version`);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await database.query('SELECT 1 AS one');
    times.push(performance.now() - began);
  }
  return { version: text(row, 'version'), milliseconds: Number(Math.min(...times).toFixed(1)) };
}

/** For the evidence of a phase. */
export function serverInWords(database: MoodleDatabase, { version, milliseconds }: DatabaseServer): string {
  return `${version}, ${milliseconds} ms per ${database.access === 'network' ? 'round trip' : 'Data API call'}`;
}
