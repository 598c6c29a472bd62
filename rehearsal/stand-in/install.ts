import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, setConfig, setPluginVersion, unsetConfig } from './database.ts';
import type { InstallMarker } from './install-marker.ts';
import { hashPassword, PENDING_PASSWORD } from './password.ts';
import { codeVersions, type PluginCode, readPlugins } from './plugins/code.ts';
import { statementsToDeclared } from './plugins/declared-tables.ts';
import { allComponentHash, allVersionsHash } from './plugins/versions.ts';
import type { Settings } from './settings.ts';
import { CORE_TABLES, tableStatements } from './tables.ts';
import { MOODLE_BRANCH, MOODLE_RELEASE, MOODLE_VERSION } from './version.ts';

/** Shares of the whole time after which Moodle's stages end: core tables, plugins' tables, default settings. */
const CORE_DONE = 0.5;
const PLUGINS_DONE = 0.75;

/**
 * Makes tables and rows in the order in which Moodle's installer makes them, each statement its own transaction, so
 * that a kill leaves what a killed Moodle install leaves. Takes `installSeconds`.
 */
export async function install(
  database: Database,
  settings: Settings,
  finish: InstallMarker['finish'],
  progress: (tables: number) => void,
): Promise<void> {
  const begin = Date.now();
  const until = async (share: number) => {
    const left = begin + share * settings.installSeconds * 1000 - Date.now();
    if (left > 0) await sleep(left);
  };
  const statements = tableStatements(database.prefix, database.words.serial);
  for (const [index, statement] of statements.entries()) {
    if (index === CORE_TABLES) await writeCoreRows(database, settings);
    await database.query(statement);
    await until(
      index < CORE_TABLES
        ? (CORE_DONE * (index + 1)) / CORE_TABLES
        : CORE_DONE + ((PLUGINS_DONE - CORE_DONE) * (index + 1 - CORE_TABLES)) / (statements.length - CORE_TABLES),
    );
    if ((index + 1) % 50 === 0) progress(index + 1);
  }
  await installPlugins(database, readPlugins(settings.dirroot));
  if (finish === 'unattended') await finishAdministrator(database, settings);
  await setConfig(database, 'rolesactive', '1');
  await unsetConfig(database, 'upgraderunning');
  await until(1);
  await writeSiteNames(database, settings);
  if (finish === 'browser') await setConfig(database, 'adminsetuppending', '1');
  await setConfig(database, 'registrationpending', '1');
}

/** What lib/db/install.php writes: the site course, guest and administrator, and the first settings. */
async function writeCoreRows(database: Database, settings: Settings): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const { prefix } = database;
  await setConfig(database, 'upgraderunning', String(now + 300));
  await database.query(
    `INSERT INTO ${prefix}course (fullname, shortname, format, timecreated, timemodified) VALUES ('', '', 'site', $1, $1)`,
    [now],
  );
  const identifier = `${randomBytes(16).toString('hex')}${settings.wwwroot.hostname}`;
  for (const [name, value] of Object.entries({
    rolesactive: '0',
    siteidentifier: identifier,
    sessiontimeout: '28800',
    lang: settings.lang,
    mnet_localhost_id: '1',
  })) {
    await setConfig(database, name, value);
  }
  const user = `INSERT INTO ${prefix}user
    (username, password, firstname, lastname, email, confirmed, mnethostid, lang, lastip, timecreated, timemodified)
    VALUES ($1, $2, $3, $4, $5, 1, 1, $6, $7, $8, $8)`;
  await database.query(user, [
    'guest',
    hashPassword('guest'),
    'Guest user',
    ' ',
    'root@localhost',
    settings.lang,
    '',
    now,
  ]);
  await setConfig(database, 'siteguest', '1');
  await database.query(user, ['admin', PENDING_PASSWORD, 'Admin', 'User', '', settings.lang, '0.0.0.0', now]);
  await setConfig(database, 'siteadmins', '2');
  await setConfig(database, 'version', MOODLE_VERSION);
  await setConfig(database, 'release', MOODLE_RELEASE);
  await setConfig(database, 'branch', MOODLE_BRANCH);
}

async function installPlugins(database: Database, plugins: ReadonlyMap<string, PluginCode>): Promise<void> {
  for (const { component, version, declaredTables } of plugins.values()) {
    for (const statement of await statementsToDeclared(database, declaredTables)) await database.query(statement);
    await setPluginVersion(database, component, version);
  }
  await database.query(
    `INSERT INTO ${database.prefix}task_scheduled (component, classname, minute, hour, day, month, dayofweek)
     VALUES ('moodle', $1, '*', '*', '*', '*', '*')`,
    ['\\core\\task\\stand_in_task'],
  );
  const code = codeVersions(plugins);
  await setConfig(database, 'allversionshash', allVersionsHash(code));
  await setConfig(database, 'allcomponenthash', allComponentHash(code));
}

async function finishAdministrator(database: Database, { admin }: Settings): Promise<void> {
  await database.query(
    `UPDATE ${database.prefix}user SET password = $1, email = $2, username = $3 WHERE username = 'admin'`,
    [hashPassword(admin.password), admin.email, admin.user],
  );
}

async function writeSiteNames(database: Database, settings: Settings): Promise<void> {
  await database.query(`UPDATE ${database.prefix}course SET fullname = $1, shortname = $2 WHERE format = 'site'`, [
    settings.fullName,
    settings.shortName,
  ]);
}
