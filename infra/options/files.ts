import type { Contradiction } from './contradiction.ts';
import { oneOf, oneOfNumbers, wholeNumber, yesNo } from './option-kinds.ts';

/** What the nodes share on disk, and the backups of it and of the database. */
export const filesOptions = {
  filesZones: oneOf(['regional', 'one-zone'], {
    doc: 'Whether the shared files survive the loss of a zone, or cost half as much.',
    dev: 'regional',
    prod: 'regional',
  }),
  filesThroughput: oneOf(['elastic', 'bursting', 'provisioned'], {
    doc: 'How fast the shared files are: as fast as asked for and paid by use, by their size, or as much as is bought.',
    dev: 'elastic',
    prod: 'elastic',
  }),
  filesProvisionedMiBps: wholeNumber(1, 3414, {
    doc: 'With filesThroughput=provisioned: how much is bought, in MiB a second.',
    dev: 32,
    prod: 64,
  }),
  filesInfrequentAccessDays: oneOfNumbers([0, 7, 14, 30, 60, 90, 180, 270, 365], {
    doc: 'After how many days without use a file moves to cheaper storage, until it is used again; 0: never.',
    dev: 30,
    prod: 30,
  }),
  uploadMegabytes: wholeNumber(1, 2048, {
    doc: 'How large a file may be that somebody uploads, in MB. Moodle promises no more; administrators and courses may set less.',
    dev: 512,
    prod: 512,
  }),
  backups: yesNo({
    doc: 'Whether AWS Backup saves files and database together once a day, beside the backups of the database itself.',
    dev: false,
    prod: true,
  }),
  backupRetentionDays: wholeNumber(1, 3650, {
    doc: 'With backups=true: how many days each of them is kept.',
    dev: 7,
    prod: 35,
  }),
} as const;

export const filesContradictions: readonly Contradiction[] = [
  ({ filesZones, nodeZones }) =>
    filesZones === 'one-zone' && nodeZones > 1
      ? `Option filesZones cannot be one-zone with nodeZones=${nodeZones}: nodes in the other zones would lose their ` +
        'files with that one. Allowed: regional, or nodeZones=1.'
      : undefined,
];
