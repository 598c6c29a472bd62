import { DatabaseNotRestored } from '../errors.ts';

/**
 * What RDS calls a database that it gave up or that cannot answer before somebody has helped it. From the tables
 * “DB instance status” of its guide, and “DB cluster status” of Aurora's.
 */
const lost =
  /^(failed|restore-error|cloning-failed|migration-failed|incompatible-|inaccessible-|insufficient-capacity|storage-full)/;

/**
 * @param name of a restored copy that does not have the site's name yet, or of one of its instances
 * @throws DatabaseNotRestored when RDS will not make it available
 */
export function requireNotLost(name: string, status: string): void {
  if (!lost.test(status)) return;
  throw new DatabaseNotRestored(
    `RDS could not restore the database: ${name} is ${status}. The site’s own is untouched, and as the upgrade left it. ` +
      'Look into the events of RDS, delete that copy, and start the rollout again, which goes on putting back.',
  );
}
