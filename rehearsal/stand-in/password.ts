import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** Begins every stored hash, so that a database of the stand-in cannot be taken for Moodle's. */
const PREFIX = 'stand-in-scrypt$';

/** A sixteenth of Node's own cost: nodes log people in all the time, and the passwords of a rehearsal guard nothing. */
const COST = { N: 1024 };

/** What `mdl_user.password` holds until somebody set a real one (Moodle's lib/db/install.php). */
export const PENDING_PASSWORD = 'adminsetuppending';

export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  return `${PREFIX}${salt.toString('base64')}$${scryptSync(password, salt, 32, COST).toString('base64')}`;
}

/** False also for the placeholder and for a hash that Moodle made. */
export function passwordMatches(password: string, stored: string): boolean {
  if (!stored.startsWith(PREFIX)) return false;
  const [salt = '', hash = ''] = stored.slice(PREFIX.length).split('$');
  const wanted = Buffer.from(hash, 'base64');
  return timingSafeEqual(scryptSync(password, Buffer.from(salt, 'base64'), wanted.length, COST), wanted);
}
