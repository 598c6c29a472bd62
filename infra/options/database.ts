import { type DatabaseEngineName, databaseEngines, versionOf } from '../database-engines.ts';
import { atLeast, leastDatabaseVersion } from '../moodle-requirements.ts';
import type { Contradiction } from './contradiction.ts';
import { halves, oneOf, optionalText, text, wholeNumber, yesNo, zeroOr } from './option-kinds.ts';

const engineNames = Object.keys(databaseEngines) as DatabaseEngineName[];

/** The site's database, and how the phase functions reach it. */
export const databaseOptions = {
  databaseEngine: oneOf(engineNames, {
    doc: 'The engine of the database: a cluster of Aurora (aurora-…), or an instance of RDS (the others).',
    dev: 'aurora-postgresql',
    prod: 'aurora-postgresql',
  }),
  databaseVersion: optionalText(
    /^\d+(\.\d+){1,2}$|^\d+\.\d+\.mysql_aurora(\.\d+){3}$/,
    'a version as RDS names it, for example 17.7, 11.4.10 or 8.4.mysql_aurora.8.4.7',
    "The version of the database; left out: the app's choice for the engine. It is checked against the Moodle release.",
  ),
  tablePrefix: text(
    /^[a-z][a-z0-9_]{0,9}$/,
    'what the names of tables begin with: a small letter, then up to nine small letters, digits and _',
    {
      doc: "What the names of Moodle's tables begin with. Set it before an existing site is brought here that has another.",
      dev: 'mdl_',
      prod: 'mdl_',
    },
  ),
  databaseAccess: oneOf(['data-api', 'network'], {
    doc: 'How the phase functions reach the database: the RDS Data API, or its own protocol from inside the network.',
    dev: 'data-api',
    prod: 'data-api',
  }),
  databaseCapacity: oneOf(['serverless', 'provisioned'], {
    doc: 'Aurora: whether capacity follows the load between a least and a most, or is that of an instance type.',
    dev: 'serverless',
    prod: 'serverless',
  }),
  databaseMinCapacity: halves(0, 256, {
    doc: 'Aurora, serverless: the least capacity in Aurora capacity units; 0 pauses it while nothing connects.',
    dev: 0,
    prod: 0.5,
  }),
  databaseMaxCapacity: halves(1, 256, {
    doc: 'Aurora, serverless: the most capacity in Aurora capacity units.',
    dev: 4,
    prod: 16,
  }),
  databaseInstanceType: text(/^db\.[a-z0-9]+\.[a-z0-9]+$/, 'an RDS instance type, for example db.t4g.medium', {
    doc: 'RDS, and Aurora where it is provisioned: the instance type of the database.',
    dev: 'db.t4g.medium',
    prod: 'db.r7g.large',
  }),
  databaseReader: yesNo({
    doc: 'Aurora: whether a second instance stands by in another zone and takes over within a minute.',
    dev: false,
    prod: false,
  }),
  databaseMultiAz: yesNo({
    doc: 'RDS: whether a copy of the instance stands by in another zone and takes over within two minutes.',
    dev: false,
    prod: true,
  }),
  databaseStorageGiB: wholeNumber(20, 65_536, {
    doc: 'RDS: the storage that the instance begins with, in GiB.',
    dev: 20,
    prod: 100,
  }),
  databaseMaxStorageGiB: wholeNumber(20, 65_536, {
    doc: 'RDS: how far the storage may grow by itself, in GiB; the same as databaseStorageGiB: not at all.',
    dev: 100,
    prod: 1000,
  }),
  databaseBackupDays: wholeNumber(1, 35, {
    doc: 'How many days the automatic backups of the database are kept.',
    dev: 1,
    prod: 14,
  }),
  databaseRotationDays: zeroOr(1, 1000, {
    doc: 'Every how many days the database gets a new password, by Secrets Manager; 0: never.',
    dev: 0,
    prod: 0,
  }),
} as const;

export const databaseContradictions: readonly Contradiction[] = [
  ({ databaseEngine, databaseVersion }) =>
    databaseVersion !== undefined && !databaseEngines[databaseEngine].version.test(databaseVersion)
      ? `Option databaseVersion cannot be "${databaseVersion}" with databaseEngine=${databaseEngine}. ` +
        `Allowed: a version as RDS names it, for example ${databaseEngines[databaseEngine].versionExample}.`
      : undefined,
  ({ databaseEngine, databaseVersion, moodleVersion }) => {
    const { family } = databaseEngines[databaseEngine];
    const { full, major } = versionOf(databaseEngine, databaseVersion);
    const least = leastDatabaseVersion(moodleVersion, family);
    // What follows the series in Aurora MySQL's name is Aurora's own count.
    return atLeast(databaseEngine === 'aurora-mysql' ? major : full, least)
      ? undefined
      : `Option databaseVersion cannot be "${full}" with databaseEngine=${databaseEngine} and ` +
          `moodleVersion=${moodleVersion}. Allowed: at least ${least}, which this release of Moodle asks for.`;
  },
  ({ databaseEngine, databaseAccess }) =>
    databaseEngines[databaseEngine].kind === 'instance' && databaseAccess === 'data-api'
      ? `Option databaseAccess cannot be data-api with databaseEngine=${databaseEngine}. ` +
        'Allowed: network. Only Aurora has the Data API.'
      : undefined,
  ({ databaseMinCapacity: least, databaseMaxCapacity: most }) =>
    least > most
      ? `Option databaseMinCapacity cannot be ${least} with databaseMaxCapacity=${most}. ` +
        'Allowed: at most databaseMaxCapacity.'
      : undefined,
  ({ databaseStorageGiB: least, databaseMaxStorageGiB: most }) =>
    most !== least && most < least * 1.1
      ? `Option databaseMaxStorageGiB cannot be ${most} with databaseStorageGiB=${least}. ` +
        'Allowed: the same, or at least a tenth more, as RDS asks.'
      : undefined,
];
