import { XMLParser } from 'fast-xml-parser';
import type { Database, Words } from '../database.ts';

interface DeclaredField {
  readonly NAME: string;
  readonly TYPE: string;
  readonly LENGTH?: string;
  readonly DECIMALS?: string;
  readonly NOTNULL?: string;
  readonly DEFAULT?: string;
  readonly SEQUENCE?: string;
}

interface DeclaredTable {
  readonly name: string;
  readonly fields: readonly DeclaredField[];
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  isArray: (name) => name === 'TABLE' || name === 'FIELD',
});

/** Tables of a `db/install.xml`. @throws Error when a name is none that Moodle allows */
export function readDeclaredTables(xml: string | undefined): DeclaredTable[] {
  if (xml === undefined) return [];
  const tables: { NAME: string; FIELDS: { FIELD: DeclaredField[] } }[] = parser.parse(xml).XMLDB?.TABLES?.TABLE ?? [];
  return tables.map(({ NAME, FIELDS }) => {
    for (const name of [NAME, ...FIELDS.FIELD.map((field) => field.NAME)]) {
      if (!/^[a-z][a-z0-9_]*$/.test(name))
        throw new Error(`db/install.xml has “${name}”, which names no table or field`);
    }
    return { name: NAME, fields: FIELDS.FIELD };
  });
}

/**
 * What brings the database to the tables and fields that a plugin declares, one statement each, in the order of the
 * file. That is all that the stand-in has of a plugin's upgrade: it runs no PHP. What is no longer declared stays, as
 * with Moodle; keys and indexes are left out.
 *
 * @throws Error when a field is of a type that XMLDB does not have
 */
export async function statementsToDeclared(database: Database, xml: string | undefined): Promise<string[]> {
  const statements: string[] = [];
  for (const { name, fields } of readDeclaredTables(xml)) {
    const table = database.prefix + name;
    const { rows } = await database.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = ${database.words.schema} AND table_name = $1`,
      [table],
    );
    const there = new Set(rows.map((row) => row.name));
    const column = (field: DeclaredField) => `${field.NAME} ${columnType(field, database.words)}`;
    if (there.size === 0) statements.push(`CREATE TABLE ${table} (${fields.map(column).join(', ')})`);
    else {
      const missing = fields.filter((field) => !there.has(field.NAME));
      statements.push(...missing.map((field) => `ALTER TABLE ${table} ADD COLUMN ${column(field)}`));
    }
  }
  return statements;
}

function columnType({ NAME, TYPE, LENGTH, DECIMALS, NOTNULL, DEFAULT, SEQUENCE }: DeclaredField, words: Words): string {
  if (SEQUENCE === 'true') return `${words.serial} PRIMARY KEY`;
  const types: Readonly<Record<string, string>> = {
    int: 'bigint',
    number: `numeric(${Number(LENGTH ?? 10)}, ${Number(DECIMALS ?? 0)})`,
    float: 'double precision',
    char: `varchar(${Number(LENGTH ?? 255)})`,
    text: 'text',
    binary: words.binary,
  };
  const type = types[TYPE];
  if (!type) throw new Error(`the field ${NAME} of db/install.xml is of the type “${TYPE}”, which XMLDB does not have`);
  const otherwise = DEFAULT === undefined ? '' : ` DEFAULT '${DEFAULT.replaceAll("'", "''")}'`;
  return `${type}${NOTNULL === 'true' ? ' NOT NULL' : ''}${otherwise}`;
}
