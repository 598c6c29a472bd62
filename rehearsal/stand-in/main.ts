import { openNodeParts } from './node-parts.ts';
import { checkWizard } from './roles/check-wizard.ts';
import { copySessions } from './roles/copy-sessions.ts';
import { cron } from './roles/cron.ts';
import { runOneOff } from './roles/one-off.ts';
import { probe } from './roles/probe.ts';
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
    case 'copy-sessions':
      return runOneOff(role, settings, (database) => copySessions(database, settings, args));
    // The stand-in keeps no files: its database names none.
    case 'check-files':
      return runOneOff(role, settings, async () => ({ ok: true, files: 0, looked: 0, missing: 0, wrongSize: 0 }));
    case 'check-wizard':
      return runOneOff(role, settings, (database) => checkWizard(database, settings, args[0]));
    case 'purge-caches':
      return runOneOff(role, settings, async (database) => {
        const parts = await openNodeParts(database, settings);
        try {
          await parts.configCache.purge();
          return { ok: true };
        } finally {
          parts.close();
        }
      });
    default:
      throw new Error(
        `unknown role "${role ?? ''}"; the roles are web, cron, probe, copy-sessions, check-files, check-wizard, purge-caches`,
      );
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`stopped: ${wordsOf(error)}`);
  process.exitCode = 1;
}
// Connections that a failure left open must not keep the container.
process.exit();
