import { randomBytes } from 'node:crypto';
import type { Principal } from '../endpoint/service.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const sessionsOf = perWorld(() => new Map<string, Principal>());

/**
 * Make-believe credentials of a role, as `sts:AssumeRole` would give to a function or a task. They are good for as long
 * as the rehearsal runs.
 *
 * @param sessionName shown in the error of a denied call, for example the function's name
 */
export function roleCredentials(world: World, roleArn: string, sessionName = 'rehearsal'): Credentials {
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  sessionsOf(world).set(accessKeyId, { kind: 'role', roleArn, sessionName });
  return {
    accessKeyId,
    secretAccessKey: randomBytes(20).toString('hex'),
    sessionToken: randomBytes(20).toString('hex'),
  };
}

/** Whose credentials these are. A key that the rehearsal did not give out is the person at the keyboard. */
export function principalOf(world: World, accessKeyId: string): Principal {
  return sessionsOf(world).get(accessKeyId) ?? { kind: 'operator' };
}
