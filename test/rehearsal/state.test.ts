import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { State } from '../../rehearsal/state.ts';

describe('the state of a rehearsal', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-state-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has what was set, and not what was deleted, when it is opened again', () => {
    const names = new State(folder).collection<{ size: number }>('names');
    names.set('one', { size: 1 });
    names.set('two', { size: 2 });
    names.delete('one');

    expect(new State(folder).collection('names').entries()).toEqual([['two', { size: 2 }]]);
  });

  it('has what was appended, in its order, when it is opened again', () => {
    const events = new State(folder).journal<{ id: number }>('of-one/events');
    for (const id of [1, 2, 3]) events.append({ id });

    const again = new State(folder).journal<{ id: number }>('of-one/events');
    again.append({ id: 4 });

    expect(new State(folder).journal('of-one/events').values).toEqual([1, 2, 3, 4].map((id) => ({ id })));
  });

  it('goes on after a kill in the middle of a line', () => {
    new State(folder).journal<number>('events').append(1);
    appendFileSync(join(folder, 'events.jsonl'), '{"half');

    const again = new State(folder).journal<number>('events');
    expect(again.values).toEqual([1]);
    again.append(2);
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toBe('1\n2\n');
  });

  it('that cannot be read says which folder to remove', () => {
    writeFileSync(join(folder, 'names.json'), '{');

    expect(() => new State(folder).collection('names')).toThrow(/names\.json cannot be read .*Remove that folder/);
  });
});
