import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A named set of JSON values that is on disk before `set` and `delete` return. */
export interface Collection<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  entries(): [string, Value][];
}

/** A list of JSON values, each of which is on disk before `append` returns. */
export interface Journal<Value> {
  append(value: Value): void;
  readonly values: readonly Value[];
}

/**
 * What the make-believe AWS account remembers, so that a rehearsal that was killed goes on from the same folder.
 * One JSON file per collection, replaced whole by a rename, so that a kill leaves the old or the new one; and one per
 * journal, which grows by a line for each value.
 */
export class State {
  readonly #directory: string;
  readonly #collections = new Map<string, Collection<unknown>>();
  readonly #journals = new Map<string, Journal<unknown>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  collection<Value>(name: string): Collection<Value> {
    return openOnce(this.#collections, join(this.#directory, `${name}.json`), openCollection) as Collection<Value>;
  }

  journal<Value>(name: string): Journal<Value> {
    return openOnce(this.#journals, join(this.#directory, `${name}.jsonl`), openJournal) as Journal<Value>;
  }
}

function openOnce<Opened>(opened: Map<string, Opened>, file: string, open: (file: string) => Opened): Opened {
  const found = opened.get(file) ?? open(file);
  opened.set(file, found);
  return found;
}

function openCollection<Value>(file: string): Collection<Value> {
  const values = new Map<string, Value>(Object.entries(readJson(file) as Record<string, Value>));
  const save = () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(values)), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      values.set(key, value);
      save();
    },
    delete: (key) => {
      if (values.delete(key)) save();
    },
    entries: () => [...values.entries()],
  };
}

function openJournal<Value>(file: string): Journal<Value> {
  mkdirSync(dirname(file), { recursive: true });
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // A kill in the middle of a line leaves a value that was never told to anybody.
  if (whole !== text) writeFileSync(file, whole);
  const values = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Value);
  return {
    append: (value) => {
      appendFileSync(file, `${JSON.stringify(value)}\n`, { mode: 0o600 });
      values.push(value);
    },
    values,
  };
}

function readJson(file: string): object {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(
      `The rehearsal's state in ${file} cannot be read (${String(error)}). Remove that folder to begin anew.`,
    );
  }
}
