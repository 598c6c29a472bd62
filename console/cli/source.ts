import { readFileSync, statSync } from 'node:fs';
import { type Recording, RecordingReader } from '../api/recording.ts';
import { PlainError } from '../api/trouble.ts';
import { NotAHistory, parseHistory } from '../model/history-file.ts';
import { type Progress, readProgress } from '../progress.ts';
import type { Session } from './session.ts';

export interface Source {
  readonly recording: Recording;
  readonly progress: Progress;
}

/** A word that is the path of a file is one; names and ARNs of executions have no dot and no slash in them. */
export function isFile(word: string): boolean {
  return /[./]/.test(word) && !word.startsWith('arn:');
}

/** An execution, or a saved history, as it is now. @throws PlainError, the SDK's errors */
export async function readSource(session: Session, word: string | undefined): Promise<Source> {
  if (word !== undefined && isFile(word)) {
    const recording = readFile(word);
    return { recording, progress: readProgress(recording.definition, recording.execution, recording.events) };
  }
  const executionArn = await session.execution(word);
  const { client, read } = session.connection;
  const [recording, pastRuns] = await Promise.all([
    new RecordingReader(client, executionArn).read(),
    session.pastRuns(executionArn),
  ]);
  const progress = readProgress(recording.definition, recording.execution, recording.events, { ...read, pastRuns });
  return { recording, progress };
}

function readFile(path: string): Recording {
  try {
    if (statSync(path).isDirectory()) throw new PlainError(`${path} is a folder, not a saved history.`);
    return parseHistory(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof PlainError) throw error;
    const words = error instanceof Error ? error.message : String(error);
    const save = 'npx lifecycle history EXECUTION --save FILE makes one.';
    if (error instanceof NotAHistory) throw new PlainError(`${path} is no saved history. ${words} ${save}`);
    throw new PlainError(`${path} cannot be read: ${words}. ${save}`);
  }
}
