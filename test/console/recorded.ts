import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Recording } from '../../console/api/recording.ts';
import { parseHistory } from '../../console/model/history-file.ts';

const folder = join(import.meta.dirname, 'histories');

/** Names of the histories that `record-histories.ts` has recorded. */
export const recordedNames = readdirSync(folder)
  .filter((file) => file.endsWith('.json.gz'))
  .map((file) => file.slice(0, -'.json.gz'.length))
  .sort();

export function recordedText(name: string): string {
  return gunzipSync(readFileSync(join(folder, `${name}.json.gz`))).toString('utf8');
}

export function recorded(name: string): Recording {
  return parseHistory(recordedText(name));
}

/** The history as it was when only so many of its events had happened. */
export function cutShort({ definition, execution, events }: Recording, length: number): Recording {
  const { stopDate: _stop, error: _error, cause: _cause, output: _output, ...running } = execution;
  return { definition, execution: { ...running, status: 'RUNNING' }, events: events.slice(0, length) };
}
