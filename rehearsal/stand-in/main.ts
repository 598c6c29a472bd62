import { checkWizard } from './roles/check-wizard.ts';
import { copySessions } from './roles/copy-sessions.ts';
import { cron } from './roles/cron.ts';
import { inspect } from './roles/inspect.ts';
import { maintenanceBegun, maintenanceEnded, purgeCaches } from './roles/maintenance.ts';
import { runOneOff } from './roles/one-off.ts';
import { probe } from './roles/probe.ts';
import { uninstallPlugins } from './roles/uninstall-plugins.ts';
import { planUpgrade, upgrade } from './roles/upgrade.ts';
import { web } from './roles/web.ts';
import { say, wordsOf } from './say.ts';
import { readSettings } from './settings.ts';

/**
 * Keeps the image's contract where no Moodle can be had: `node main.ts <role> [arguments]`, settings by environment.
 * Real database, sessions and caches; no learning management.
 */
async function main([role, ...args]: string[]): Promise<number> {
  const settings = readSettings(process.env);
  switch (role) {
    case 'web':
      await web(settings);
      return 0;
    case 'cron':
      await cron(settings);
      return 0;
    case 'probe':
      return runOneOff(role, settings, () => probe(settings, args[0]));
    case 'inspect':
      return runOneOff(role, settings, (database, node) => inspect(database, settings, node, args));
    case 'copy-sessions':
      return runOneOff(role, settings, (database) => copySessions(database, settings, args));
    // The stand-in keeps no files: its database names none.
    case 'check-files':
      return runOneOff(role, settings, async () => ({ ok: true, files: 0, looked: 0, missing: 0, wrongSize: 0 }));
    case 'check-wizard':
      return runOneOff(role, settings, (database) => checkWizard(database, settings, args[0]));
    case 'purge-caches':
      return runOneOff(role, settings, (database) => purgeCaches(database, settings));
    case 'plan-upgrade':
      return runOneOff(role, settings, (database) => planUpgrade(database, settings));
    case 'upgrade':
      return runOneOff(role, settings, (database, node) => upgrade(database, settings, node, args));
    case 'uninstall-plugins':
      return runOneOff(role, settings, (database, node) => uninstallPlugins(database, settings, node, args));
    case 'begin-maintenance':
      return runOneOff(role, settings, () => maintenanceBegun(settings));
    case 'end-maintenance':
      return runOneOff(role, settings, (database) => maintenanceEnded(database, settings));
    default:
      throw new Error(
        `unknown role "${role ?? ''}"; the roles are web, cron, probe, inspect, copy-sessions, check-files, check-wizard, purge-caches, ` +
          'plan-upgrade, upgrade, uninstall-plugins, begin-maintenance, end-maintenance',
      );
  }
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    say(`stopped: ${wordsOf(error)}`);
    return 1;
  })
  // Connections that a failure left open must not keep the container.
  .then((code) => process.exit(code));
