/**
 * What PostgreSQL on one side, MySQL and MariaDB on the other write differently. A statement takes these pieces from
 * here, and is the same for both otherwise: `CURRENT_TIMESTAMP`, `CAST(… AS text)`, `::type`, `RETURNING`, `ON CONFLICT`
 * and JSON functions are not.
 */
export interface Dialect {
  readonly name: 'postgresql' | 'mysql';
  /** This moment, as the lifecycle's time columns keep it. */
  readonly now: string;
  /** A time as seconds since 1970: a floating number with its microseconds. */
  epoch(time: string): string;
  /** JSON text as a value of a JSON column. A column of JSON is answered as text. */
  json(text: string): string;
  /** End of an INSERT that gives these columns of the row that is there already the values that were to be inserted. */
  orUpdate(key: readonly string[], columns: readonly string[]): string;
  /** End of an INSERT that leaves the row as it is that is there already. */
  orNothing(key: readonly string[]): string;
  /** The schema of Moodle's own tables, as `information_schema` names it. */
  readonly moodleSchema: string;
  /** Condition on `information_schema`: everything that belongs to the site's database and is not the lifecycle's. */
  readonly itsSchemas: string;
  /** Version of the server, as text. */
  readonly serverVersion: string;
  /** Types of the lifecycle's columns. Each statement of its schema is one that may run again. */
  readonly types: ColumnTypes;
  readonly createSchema: string;
  /** Where an ALTER TABLE adds a column, perhaps at the same time as another rollout does. */
  readonly addColumn: string;
  /** Rows `site`, `hash` of a select of rows `site`, `line`: the same hash for the same set of lines of a site. */
  hashOfLines(lines: string): string;
  /** Text of a JSON array of these columns. */
  jsonArray(values: readonly string[]): string;
  /** Whether DDL can be rolled back; where it cannot, it ends the transaction that it is in. */
  readonly transactionalDdl: boolean;
}

export interface ColumnTypes {
  /**
   * Text that a primary key can have, of at most so many characters, compared letter for letter. A whole key may have 768
   * characters.
   */
  key(characters: number): string;
  /** Text of any length, compared letter for letter. */
  readonly text: string;
  /** Moment in UTC. */
  readonly time: string;
  readonly json: string;
}

export const postgresql: Dialect = {
  name: 'postgresql',
  now: 'now()',
  epoch: (time) => `CAST(extract(epoch FROM ${time}) AS double precision)`,
  json: (text) => `CAST(${text} AS jsonb)`,
  orUpdate: (key, columns) =>
    `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${columns.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}`,
  orNothing: (key) => `ON CONFLICT (${key.join(', ')}) DO NOTHING`,
  moodleSchema: 'current_schema()',
  itsSchemas: "table_schema NOT IN ('pg_catalog', 'information_schema', 'moodle_lifecycle')",
  serverVersion: `'PostgreSQL ' || current_setting('server_version')`,
  types: { key: () => 'text', text: 'text', time: 'timestamptz', json: 'jsonb' },
  createSchema: 'CREATE SCHEMA IF NOT EXISTS moodle_lifecycle',
  addColumn: 'ADD COLUMN IF NOT EXISTS',
  hashOfLines: (lines) =>
    `SELECT site, encode(sha256(convert_to(string_agg(line, chr(10) ORDER BY line COLLATE "C"), 'UTF8')), 'hex') AS hash
       FROM (${lines}) AS lines GROUP BY site`,
  jsonArray: (values) => `CAST(json_build_array(${values.join(', ')}) AS text)`,
  transactionalDdl: true,
};

/** Sixteen hexadecimal digits of every line's own hash, put together so that their order does not matter. */
const combined = (from: number) =>
  `LPAD(HEX(BIT_XOR(CAST(CONV(SUBSTR(SHA2(line, 256), ${from}, 16), 16, 10) AS UNSIGNED))), 16, '0')`;

/**
 * MySQL 8 and MariaDB 10.6 on. Times are kept in UTC without the server's time zone having a say: TIMESTAMP columns
 * would, and the first one of a table changes by itself where `explicit_defaults_for_timestamp` is off, as in MariaDB
 * before 10.10.
 */
export const mysql: Dialect = {
  name: 'mysql',
  now: 'UTC_TIMESTAMP(6)',
  // A floating divisor, because a DECIMAL would be answered as text.
  epoch: (time) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) / 1e6`,
  json: (text) => text,
  // VALUES() is deprecated in MySQL 8.0.20, but what takes its place there MariaDB does not know.
  orUpdate: (_key, columns) =>
    `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`,
  // INSERT IGNORE would also ignore values that do not fit.
  orNothing: ([first]) => `ON DUPLICATE KEY UPDATE ${first} = VALUES(${first})`,
  moodleSchema: 'DATABASE()',
  // There a schema is a database of its own.
  itsSchemas: 'table_schema = DATABASE()',
  serverVersion: `CONCAT(IF(VERSION() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), SUBSTRING_INDEX(VERSION(), '-', 1))`,
  // A character counts for four bytes of InnoDB's longest index, which has 3072.
  types: { key: (characters) => `varchar(${characters})`, text: 'longtext', time: 'datetime(6)', json: 'longtext' },
  // A schema is a database beside Moodle's. Its collation is that of its tables, and tells small letters from capitals.
  createSchema: 'CREATE DATABASE IF NOT EXISTS moodle_lifecycle CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  // MariaDB has IF NOT EXISTS here, MySQL has not.
  addColumn: 'ADD COLUMN',
  // Not GROUP_CONCAT: MySQL cuts what it answers off after 1024 bytes.
  hashOfLines: (lines) =>
    `SELECT site, LOWER(CONCAT(${[1, 17, 33, 49].map(combined).join(', ')})) AS hash FROM (${lines}) AS hashed GROUP BY site`,
  jsonArray: (values) => `JSON_ARRAY(${values.join(', ')})`,
  transactionalDdl: false,
};
