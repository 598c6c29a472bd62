import { entriesOf } from '../../rehearsal/plugin-directory/release.ts';
import { type ZipEntry, zip } from '../../rehearsal/plugin-directory/zip.ts';
import { pluginFiles } from './make-plugin.ts';

/** A plugin archive in a form that people upload. */
export interface ArchiveForm {
  readonly name: string;
  readonly archive: Buffer;
  /** Whether Moodle's own installer takes it, and with these files; tried on real ones (moodle-tree.moodle.test.ts). */
  readonly moodle: 'takes' | 'refuses';
  /** What a build says; left out where it takes it. */
  readonly words?: RegExp;
  /** Files beside those of the plugin. */
  readonly more?: readonly string[];
}

export const ARCHIVED = 'local_sample';
export const archivedFiles = pluginFiles({ component: ARCHIVED, version: 2026010100 });

const inFolder = (folder: string): ZipEntry[] =>
  entriesOf(ARCHIVED, archivedFiles).map((entry) => moved(entry, folder));
const moved = (entry: ZipEntry, folder: string): ZipEntry => ({
  ...entry,
  name: entry.name.replace(/^[^/]+\//, folder === '' ? '' : `${folder}/`),
});
const named = (entries: readonly ZipEntry[], rename: (name: string) => string): ZipEntry[] =>
  entries.map((entry) => ({ ...entry, name: rename(entry.name) }));
/** What the archiver of macOS puts beside each file, and the Finder and Windows into each folder. */
const appleDouble = '\0\x05\x16\x07\0\x02\0\0Mac OS X        ';
const finder = { name: 'sample/.DS_Store', content: '\0\0\0\x01Bud1' };
const thumbnails = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const plain = inFolder('sample');

/** As programs write names that do not know of UTF-8: bytes of the code page 437, and no mark that says otherwise. */
function inCodePage437(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive.toString('latin1').replaceAll('\xc3\xa9', '\x82_'), 'latin1');
  for (const [mark, at] of [
    ['PK\x03\x04', 6],
    ['PK\x01\x02', 8],
  ] as const) {
    for (let found = bytes.indexOf(mark); found >= 0; found = bytes.indexOf(mark, found + 4))
      bytes.writeUInt16LE(0, found + at);
  }
  return bytes;
}

export const archiveForms: readonly ArchiveForm[] = [
  { name: 'a folder named as the plugin', archive: zip(plain), moodle: 'takes' },
  { name: 'the folder of a tagged release', archive: zip(inFolder('moodle-local_sample-1.2.3')), moodle: 'takes' },
  { name: 'the folder of a branch', archive: zip(inFolder('moodle-local_sample-main')), moodle: 'takes' },
  {
    name: 'entries of its folders',
    archive: zip([{ name: 'sample/', content: '' }, { name: 'sample/lang/', content: '' }, ...plain]),
    moodle: 'takes',
  },
  {
    name: 'what macOS adds',
    archive: zip([
      ...plain,
      { name: '.DS_Store', content: finder.content },
      finder,
      { name: '__MACOSX/', content: '' },
      { name: '__MACOSX/._sample', content: appleDouble },
      { name: '__MACOSX/sample/._version.php', content: appleDouble },
    ]),
    moodle: 'takes',
  },
  {
    name: 'what Windows adds',
    archive: zip([...plain, { name: 'sample/pix/Thumbs.db', content: thumbnails }]),
    moodle: 'takes',
  },
  {
    name: 'the separators of Windows',
    archive: zip(named(plain, (name) => name.replaceAll('/', '\\'))),
    moodle: 'refuses',
    words: /“sample\\version\.php”, which is not one of a file/,
  },
  { name: 'names that begin with a dot', archive: zip(named(plain, (name) => `./${name}`)), moodle: 'refuses' },
  {
    name: 'a name in UTF-8',
    archive: zip([...plain, { name: 'sample/pix/café.svg', content: '<svg/>' }]),
    moodle: 'takes',
    more: ['pix/café.svg'],
  },
  {
    name: 'a name in an older encoding',
    archive: inCodePage437(zip([...plain, { name: 'sample/pix/café.svg', content: '<svg/>' }])),
    moodle: 'refuses',
    more: ['pix/café_.svg'],
  },
  {
    name: 'a file without content',
    archive: zip([...plain, { name: 'sample/empty.txt', content: '' }]),
    moodle: 'takes',
    more: ['empty.txt'],
  },
  // Moodle does not know which plugin it is; here the manifest says so.
  { name: 'no folder', archive: zip(inFolder('')), moodle: 'refuses' },
  {
    name: 'no folder, and what macOS adds',
    archive: zip([...inFolder(''), { name: '__MACOSX/._version.php', content: appleDouble }]),
    moodle: 'refuses',
  },
  {
    name: 'a path with the separators of Windows that leads out',
    archive: zip([...plain, { name: 'sample\\..\\..\\escaped.php', content: '<?php' }]),
    moodle: 'refuses',
    words: /“sample\\\.\.\\\.\.\\escaped\.php”, which is not one of a file/,
  },
  {
    name: 'a path on a drive',
    archive: zip([...plain, { name: 'C:\\escaped.php', content: '<?php' }]),
    moodle: 'refuses',
    words: /“C:\\escaped\.php”, which is not one of a file/,
  },
  {
    name: 'a link among what macOS adds',
    archive: zip([...plain, { name: '__MACOSX/link', content: '/etc/passwd', mode: 0o120777 }]),
    moodle: 'takes',
    words: /“__MACOSX\/link”, which is a symbolic link/,
  },
  {
    name: 'a name with a line break',
    archive: zip([...plain, { name: 'sample/a\nb.php', content: '<?php' }]),
    moodle: 'refuses',
    words: /“sample\/a\?b\.php”, which is not one of a file/,
  },
  {
    name: 'nothing but what macOS adds',
    archive: zip([{ name: '__MACOSX/._version.php', content: appleDouble }]),
    moodle: 'refuses',
    words: /its archive has no file of a plugin/,
  },
  {
    name: 'two files of one name',
    archive: zip([...plain, { name: 'sample/version.php', content: '<?php' }]),
    moodle: 'takes',
    words: /version\.php is damaged, encrypted, packed in a way that PHP does not know, or there twice/,
  },
];
