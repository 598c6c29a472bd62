import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseMoodle } from '../../rehearsal/moodle/choose.ts';
import { archiveUrl, MoodleNotReachable, parseChecksum } from '../../rehearsal/moodle/download.ts';
import { NotMoodle } from '../../rehearsal/moodle/version-file.ts';

const unreachable = async () => {
  throw new MoodleNotReachable('packaging.example cannot be reached (ENOTFOUND).');
};

describe('choosing the Moodle of a rehearsal', () => {
  let folder: string;
  const notices: string[] = [];
  const choose = (asked?: string, environment?: string, fetch: (version: string) => Promise<string> = unreachable) =>
    chooseMoodle(
      { asked, environment, pinnedVersion: '5.3' },
      (line) => notices.push(line),
      () => {},
      fetch,
    );
  const unpack = (into: string) => {
    mkdirSync(into, { recursive: true });
    const lines = [
      '<?php',
      '$version  = 2024100706.00;',
      "$release  = '4.5.6 (Build: 20250811)';",
      "$branch   = '405';",
      '',
    ];
    writeFileSync(join(into, 'version.php'), lines.join('\n'));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'moodle-'));
    notices.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads release and branch from a folder', async () => {
    unpack(folder);
    expect(await choose(folder)).toEqual({
      kind: 'real',
      directory: folder,
      release: '4.5.6 (Build: 20250811)',
      branch: 405,
    });
  });

  it('knows the layout in which public/ is what a web server serves', async () => {
    unpack(join(folder, 'public'));
    expect(await choose(undefined, folder)).toMatchObject({ directory: folder, branch: 405 });
  });

  it('refuses a folder that is not Moodle', async () => {
    await expect(choose(folder)).rejects.toThrow(NotMoodle);
  });

  it('puts the stand-in in the place of the pinned version that cannot be reached, and says so', async () => {
    expect(await choose()).toEqual({ kind: 'stand-in' });
    expect(notices.join()).toMatch(/5\.3.*cannot be downloaded.*not Moodle/);
  });

  it('never puts the stand-in in the place of a version that was asked for', async () => {
    await expect(choose('4.5.6')).rejects.toThrow(MoodleNotReachable);
    expect(notices).toEqual([]);
  });

  it('downloads the version that was asked for', async () => {
    unpack(folder);
    expect(await choose('4.5.6', undefined, async (version) => (version === '4.5.6' ? folder : ''))).toMatchObject({
      kind: 'real',
    });
  });
});

describe('downloading', () => {
  it('knows the folder of each stable branch', () => {
    expect(archiveUrl('5.3')).toMatch(/\/stable503\/moodle-5\.3\.tgz$/);
    expect(archiveUrl('4.5.6')).toMatch(/\/stable405\/moodle-4\.5\.6\.tgz$/);
  });

  it('reads the checksum in the form in which Moodle publishes it', () => {
    const hex = createHash('sha256').update('moodle').digest('hex');
    expect(parseChecksum(`SHA256(moodle-5.3.tgz)= ${hex}\n`)).toBe(hex);
    expect(() => parseChecksum('<html>not found</html>')).toThrow(/No SHA-256/);
  });
});
