import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A named set of JSON values that is on disk before `set` and `delete` return. */
export interface Collection<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  entries(): [string, Value][];
}

/**
 * What the make-believe AWS account remembers, so that a rehearsal that was killed goes on from the same folder.
 * One JSON file per collection, replaced whole by a rename, so that a kill leaves the old or the new one.
 */
export class State {
  readonly #directory: string;
  readonly #collections = new Map<string, Collection<unknown>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  collection<Value>(name: string): Collection<Value> {
    const known = this.#collections.get(name);
    if (known) return known as Collection<Value>;
    const made = openCollection<Value>(join(this.#directory, `${name}.json`));
    this.#collections.set(name, made as Collection<unknown>);
    return made;
  }
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
