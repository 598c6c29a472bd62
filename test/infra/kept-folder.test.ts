import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptFolder, removeOldOnes } from '../../infra/kept-folder.ts';

const DAY_SECONDS = 24 * 60 * 60;

describe('keptFolder', () => {
  let keptIn: string;
  beforeEach(() => {
    keptIn = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-kept-'));
  });
  afterEach(() => rmSync(keptIn, { recursive: true }));

  const writing = (text: string) => (folder: string) => writeFileSync(join(folder, 'file'), text);
  const madeDaysAgo = (key: string, days: number) => {
    const seconds = Date.now() / 1000 - days * DAY_SECONDS;
    mkdirSync(join(keptIn, key));
    utimesSync(join(keptIn, key), seconds, seconds);
  };

  it('is made once for a key', () => {
    const folder = keptFolder(keptIn, 'one', writing('first'));

    expect(keptFolder(keptIn, 'one', writing('second'))).toBe(folder);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('first');
    expect(keptFolder(keptIn, 'two', writing('second'))).not.toBe(folder);
  });

  it('leaves nothing when it could not be made', () => {
    const failing = (folder: string) => {
      writing('half')(folder);
      throw new Error('no space');
    };

    expect(() => keptFolder(keptIn, 'one', failing)).toThrow('no space');
    expect(readdirSync(keptIn)).toEqual([]);
  });

  it('is the other’s when another process was faster', () => {
    const folder = keptFolder(keptIn, 'one', (staging) => {
      writing('ours')(staging);
      keptFolder(keptIn, 'one', writing('theirs'));
    });

    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('theirs');
    expect(readdirSync(keptIn)).toEqual(['one']);
  });

  it('goes a week after it was made, when another is', () => {
    madeDaysAgo('old', 8);
    madeDaysAgo('young', 6);

    keptFolder(keptIn, 'one', writing('new'));

    expect(readdirSync(keptIn).sort()).toEqual(['one', 'young']);
  });

  it('can be removed a week after it was made without another', () => {
    madeDaysAgo('old', 8);
    madeDaysAgo('young', 6);

    removeOldOnes(keptIn);
    removeOldOnes(join(keptIn, 'not there'));

    expect(readdirSync(keptIn)).toEqual(['young']);
  });
});
