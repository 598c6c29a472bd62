import type { TaskReport } from './acknowledgements.ts';
import { FilesElsewhere, VerificationFailed } from './errors.ts';
import { type MoodleDatabase, number, text } from './moodle-database.ts';

/** A file that the database names and that is not in `filedir`, or has another size there. Its name may be a person's. */
export interface LostFile {
  readonly contenthash: string;
  readonly problem: 'missing' | 'wrong size';
  /** Where Moodle uses it, for example `mod_resource` and `content`. */
  readonly component: string;
  readonly filearea: string;
  /** Day on which its content came to the site. */
  readonly since: string;
}

/** What the task `check-files` found on the shared volume. */
export interface FilesFound {
  /** Contents that the database names, and how many of them were looked for. */
  readonly files: number;
  readonly looked: number;
  readonly missing: number;
  readonly wrongSize: number;
  /** Aliases to files in repositories outside: theirs is not in `filedir`, and is not looked for. */
  readonly aliases?: number;
  /** Day on which the newest of those that are not right came to the site; null: all are right. */
  readonly newest?: string | null;
  readonly examples?: readonly LostFile[];
  /** Whether the key is there that settings of the database are encrypted with. */
  readonly encryptionKey?: 'there' | 'missing' | 'not needed';
}

/**
 * Judges what was found of the files of a site that was brought here.
 *
 * @param acceptMissing whether the operator says that the old site had lost them as well
 * @returns what was found; with files that are accepted as lost, also which
 * @throws VerificationFailed naming some of what is not there
 */
export function judgeFiles(report: TaskReport, acceptMissing: boolean): { files: string; filesFound: FilesFound } {
  const found = figures(report);
  if (!found) throw new VerificationFailed(`The files do not fit the database: ${report.problem}. ${copyAgain}`);
  if (found.encryptionKey === 'missing' && !acceptMissing) {
    throw new VerificationFailed(
      'The data folder has no secret/key, with which settings in the database are encrypted: Moodle cannot read them. ' +
        `${copyAgain} ${ifLost}`,
    );
  }
  const { files, looked, missing, wrongSize } = found;
  const looking = `${looked} of ${files} looked for`;
  if (missing + wrongSize === 0) return { files: `${looking}, all there with their sizes`, filesFound: found };
  const lost = `${missing} not in filedir and ${wrongSize} of another size`;
  if (acceptMissing) return { files: `${looking}: ${lost}, accepted as lost before`, filesFound: found };
  throw new VerificationFailed(
    `The files do not fit the database: of ${looked} that were looked for, ${missing} are not in filedir, and ${wrongSize} have ` +
      `another size${named(found)}. ${copyAgain} ${ifLost} If its config.php sets $CFG->alternative_file_system_class, they are in ` +
      'an object storage: bring them into filedir first.',
  );
}

const ifLost =
  'What is not on the old server either was lost long ago: start with {"existingSite": true, "acceptMissingFiles": true}.';
const copyAgain = 'Copy what is missing, as docs/migration.md says, and start the rollout again.';

/** Of a task that could look, which says how many are missing, whether it calls that well or not. */
function figures(report: TaskReport): FilesFound | undefined {
  const { ok: _, problem: __, ...found } = report;
  return typeof found.missing === 'number' ? (found as unknown as FilesFound) : undefined;
}

function named({ examples = [], newest }: FilesFound): string {
  if (examples.length === 0) return '';
  const words = examples.map(
    ({ component, filearea, contenthash, since }) => `${contenthash} (${component}/${filearea}, ${since})`,
  );
  return `: ${words.join(', ')}${newest ? `; the newest of all came on ${newest}` : ''}`;
}

/**
 * Refuses a site whose files are in an object storage: the nodes look for them in `filedir` alone.
 *
 * @param prefix of Moodle's tables
 * @throws FilesElsewhere
 */
export async function refuseFilesElsewhere(database: MoodleDatabase, prefix: string): Promise<void> {
  const where = (await inObjectfs(database, prefix)) ?? (await inAlternativeFileSystem(database, prefix));
  if (where === undefined) return;
  throw new FilesElsewhere(
    `The site that was brought here keeps files outside of its data folder: ${where}. The nodes here have them in filedir alone, ` +
      'and know no $CFG->alternative_file_system_class. Nothing was changed. On the old site, have the plugin bring all of ' +
      'them back into filedir, and bring database and data folder anew, as docs/migration.md says.',
  );
}

/** https://github.com/catalyst/moodle-tool_objectfs: a row for each content, whose location 2 is “external” alone. */
async function inObjectfs(database: MoodleDatabase, prefix: string): Promise<string | undefined> {
  if (!(await hasTable(database, `${prefix}tool_objectfs_objects`))) return undefined;
  const [row] = await database.query(
    `SELECT COUNT(*) AS n FROM ${prefix}tool_objectfs_objects o
      WHERE o.location = 2 AND EXISTS (SELECT 1 FROM ${prefix}files f WHERE f.contenthash = o.contenthash)`,
  );
  const files = row ? number(row, 'n') : 0;
  return files > 0 ? `tool_objectfs has ${files} of them in its object storage alone` : undefined;
}

/** https://github.com/EduardoKrausME/moodle-local_alternative_file_system: all of them, where this setting says. */
async function inAlternativeFileSystem(database: MoodleDatabase, prefix: string): Promise<string | undefined> {
  const [row] = await database.query(
    `SELECT value FROM ${prefix}config_plugins WHERE plugin = 'local_alternative_file_system' AND name = 'settings_destino'`,
  );
  const destination = row ? text(row, 'value') : '';
  return /^(s3|space|gcs)$/.test(destination)
    ? `local_alternative_file_system has them in “${destination}”`
    : undefined;
}

async function hasTable(database: MoodleDatabase, name: string): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 AS there FROM information_schema.tables WHERE table_schema = ${database.dialect.moodleSchema} AND table_name = :name`,
    { name },
  );
  return rows.length > 0;
}
