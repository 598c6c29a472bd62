import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensurePrerequisites, PrerequisitesMissing } from './prerequisites/ensure.ts';

/** `npm run check-moodle -- <folder> …`: the image's own command, once this computer has the PHP that it runs on. */
try {
  await ensurePrerequisites({ realMoodle: true, mariaDb: false, browser: false }, console.error);
} catch (error) {
  if (!(error instanceof PrerequisitesMissing)) throw error;
  console.error(error.message);
  process.exit(1);
}
const command = fileURLToPath(new URL('../image/check-moodle', import.meta.url));
process.exit(spawnSync(command, process.argv.slice(2), { stdio: 'inherit' }).status ?? 1);
