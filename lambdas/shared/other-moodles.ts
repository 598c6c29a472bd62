import { TablePrefixDiffers } from './errors.ts';

/** A Moodle in the site's database that is not where this site's is looked for. */
export interface OtherMoodle {
  /** Empty where its tables have none. */
  readonly prefix: string;
  /** The schema of PostgreSQL that it is in, where that is another than the one that is looked into. */
  readonly schema?: string;
}

/** Tables that every release of Moodle has; no other software is known to have all of them. */
const ofEveryMoodle = ['config', 'config_plugins', 'user', 'course'];

/** Prefixes of the Moodles among these tables; empty for one without. */
export function moodlePrefixes(tables: ReadonlySet<string>): string[] {
  return [...tables]
    .filter((name) => name.endsWith('config'))
    .map((name) => name.slice(0, -'config'.length))
    .filter((prefix) => ofEveryMoodle.every((table) => tables.has(`${prefix}${table}`)))
    .sort();
}

/** What is there is somebody's site: nobody is told to install another beside it. */
export function refuseBeside(others: readonly OtherMoodle[], prefix: string): never {
  const [{ prefix: found, schema } = { prefix: '' }] = others;
  const where = `${found === '' ? 'tables without a prefix' : `tables that begin with ${found}`}${schema === undefined ? '' : `, in the schema ${schema}`}`;
  const more = others.length > 1 ? ` (and ${others.length - 1} more)` : '';
  throw new TablePrefixDiffers(
    `The database holds a Moodle with ${where}${more}, and none with tables that begin with ${prefix}, which this site was ` +
      `deployed for. Nothing was changed, and nothing is installed beside it. ${whatToDo(found, schema, prefix)}`,
  );
}

function whatToDo(found: string, schema: string | undefined, prefix: string): string {
  if (schema !== undefined) {
    return `Bring its tables into the schema that the nodes use, as docs/migration.md says, and start with {"existingSite": true}.`;
  }
  if (usable(found)) {
    return `Deploy with -c tablePrefix=${found} (the other options as before), and start with {"existingSite": true}.`;
  }
  return `Such names cannot be an option here: rename its tables so that they begin with ${prefix}, as docs/migration.md says, and start with {"existingSite": true}.`;
}

/** As the option tablePrefix takes it. */
const usable = (prefix: string) => /^[a-z][a-z0-9_]{0,9}$/.test(prefix);
