import type { Contradiction } from './contradiction.ts';
import { halves, oneOf, wholeNumber } from './option-kinds.ts';

/** The site's database, and how the phase functions reach it. */
export const databaseOptions = {
  databaseAccess: oneOf(['data-api', 'network'], {
    doc: 'How the phase functions reach the database: the RDS Data API, or its own protocol from inside the network.',
    dev: 'data-api',
    prod: 'data-api',
  }),
  databaseMinCapacity: halves(0, 256, {
    doc: 'The least capacity of the database in Aurora capacity units; 0 pauses it while nothing connects.',
    dev: 0,
    prod: 0.5,
  }),
  databaseMaxCapacity: halves(1, 256, {
    doc: 'The most capacity of the database in Aurora capacity units.',
    dev: 4,
    prod: 16,
  }),
  databaseBackupDays: wholeNumber(1, 35, {
    doc: 'How many days the automatic backups of the database are kept.',
    dev: 1,
    prod: 14,
  }),
} as const;

export const databaseContradictions: readonly Contradiction[] = [
  ({ databaseMinCapacity: least, databaseMaxCapacity: most }) =>
    least > most
      ? `Option databaseMinCapacity cannot be ${least} with databaseMaxCapacity=${most}. ` +
        'Allowed: at most databaseMaxCapacity.'
      : undefined,
];
