/** How many tables an install makes: as many as Moodle 4.4. */
export const EXPECTED_TABLES = 483;

/** Of these, the tables that the core makes before the first row is written; the plugins' come after. */
export const CORE_TABLES = 320;

const text = (length: number) => `varchar(${length}) NOT NULL DEFAULT ''`;
const number = 'bigint NOT NULL DEFAULT 0';

/** Tables that a phase or a page reads, with Moodle's own names and types of the columns that they touch. */
const REAL_TABLES: Readonly<Record<string, readonly string[]>> = {
  config: [`name ${text(255)} UNIQUE`, 'value text NOT NULL'],
  config_plugins: [
    "plugin varchar(100) NOT NULL DEFAULT 'core'",
    `name ${text(100)}`,
    'value text NOT NULL',
    'UNIQUE (plugin, name)',
  ],
  course: [
    `category ${number}`,
    `sortorder ${number}`,
    `fullname ${text(254)}`,
    `shortname ${text(255)}`,
    "format varchar(21) NOT NULL DEFAULT 'topics'",
    `timecreated ${number}`,
    `timemodified ${number}`,
  ],
  user: [
    "auth varchar(20) NOT NULL DEFAULT 'manual'",
    'confirmed smallint NOT NULL DEFAULT 0',
    'deleted smallint NOT NULL DEFAULT 0',
    'suspended smallint NOT NULL DEFAULT 0',
    `mnethostid ${number}`,
    `username ${text(100)}`,
    `password ${text(255)}`,
    `firstname ${text(100)}`,
    `lastname ${text(100)}`,
    `email ${text(100)}`,
    "lang varchar(30) NOT NULL DEFAULT 'en'",
    `lastaccess ${number}`,
    `lastlogin ${number}`,
    `currentlogin ${number}`,
    `lastip ${text(45)}`,
    `timecreated ${number}`,
    `timemodified ${number}`,
    'UNIQUE (mnethostid, username)',
  ],
  sessions: [
    `state ${number}`,
    `sid ${text(128)} UNIQUE`,
    'userid bigint NOT NULL',
    'sessdata text',
    'timecreated bigint NOT NULL',
    'timemodified bigint NOT NULL',
    'firstip varchar(45)',
    'lastip varchar(45)',
  ],
  task_scheduled: [
    `component ${text(255)}`,
    `classname ${text(255)} UNIQUE`,
    'lastruntime bigint',
    'nextruntime bigint',
    'blocking smallint NOT NULL DEFAULT 0',
    `minute ${text(200)}`,
    `hour ${text(70)}`,
    `day ${text(90)}`,
    `month ${text(30)}`,
    `dayofweek ${text(25)}`,
    'faildelay bigint',
    'customised smallint NOT NULL DEFAULT 0',
    'disabled smallint NOT NULL DEFAULT 0',
    'timestarted bigint',
    'hostname varchar(255)',
    'pid bigint',
  ],
};

/**
 * One statement per table, in the order of their making.
 *
 * @param serial type of a table's own number
 */
export function tableStatements(prefix: string, serial: string): string[] {
  const create = (table: string, columns: readonly string[]) =>
    `CREATE TABLE ${table} (id ${serial} PRIMARY KEY, ${columns.join(', ')})`;
  const real = Object.entries(REAL_TABLES).map(([name, columns]) => create(`${prefix}${name}`, columns));
  // They make up the number, and nothing is ever in them: without keys and text a quarter of the work for the database.
  const rest = Array.from(
    { length: EXPECTED_TABLES - real.length },
    (_, index) => `CREATE TABLE ${prefix}stand_in_${String(index + 1).padStart(3, '0')} (id bigint NOT NULL)`,
  );
  return [...real, ...rest];
}
