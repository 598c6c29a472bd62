import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { makeWorld } from './make-world.ts';

/** A program that starts and ends the server of a rehearsal. */
const world = await makeWorld();
try {
  const server = await startPostgres(world, 'demo');
  await server.ensureOwner('moodle', 'secret', 'moodle');
  process.stdout.write('PostgreSQL started.\n');
} finally {
  await world.close();
}
