import { createHash } from 'node:crypto';
import { type MoodleDatabase, text } from './moodle-database.ts';

/**
 * One text for what Moodle's schema is now: its tables, columns and indexes. The same before and after means that
 * nothing of the schema was changed.
 *
 * Read in parts and a line each, because an answer of the Data API may have 1 MiB and Moodle has some 6,000 columns.
 */
export async function fingerprintSchema(database: MoodleDatabase, prefix: string): Promise<string> {
  const hash = createHash('sha256');
  for (const part of ['abcdef', 'ghijkl', 'mnopqr', 'stuvwxyz']) {
    for (const line of await linesOf(database, prefix, part)) hash.update(`${line}\n`);
  }
  return hash.digest('hex');
}

async function linesOf(database: MoodleDatabase, prefix: string, letters: string): Promise<string[]> {
  const { moodleSchema, name } = database.dialect;
  const begins = [...letters]
    .map((letter) => `table_name LIKE '${prefix.replaceAll('_', '!_')}${letter}%' ESCAPE '!'`)
    .join(' OR ');
  const columns = await database.query(
    `SELECT CONCAT_WS(' ', table_name, column_name, data_type, is_nullable,
                      coalesce(character_maximum_length, numeric_precision, 0), coalesce(column_default, '')) AS line
       FROM information_schema.columns WHERE table_schema = ${moodleSchema} AND (${begins})`,
  );
  const indexes = await database.query(
    name === 'postgresql'
      ? `SELECT CONCAT_WS(' ', tablename, 'index', indexdef) AS line FROM pg_indexes
          WHERE schemaname = ${moodleSchema} AND (${begins.replaceAll('table_name', 'tablename')})`
      : `SELECT CONCAT_WS(' ', table_name, 'index', index_name, non_unique, seq_in_index, column_name) AS line
           FROM information_schema.statistics WHERE table_schema = ${moodleSchema} AND (${begins})`,
  );
  return [...columns, ...indexes].map((row) => text(row, 'line')).sort();
}
