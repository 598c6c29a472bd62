import { createHash, randomBytes } from 'node:crypto';
import type { World } from '../world.ts';
import type { ResolvedResource } from './provider.ts';

/**
 * A name such as CloudFormation makes up (`<stack>-<logical id>-<12 letters and digits>`). The same resource of the same
 * folder always has the same name, so that a rehearsal that goes on from a folder finds again what it made there.
 *
 * @param maxLength the stack's name and the logical id are cut to fit
 */
export function physicalName(
  world: Pick<World, 'state'>,
  resource: Pick<ResolvedResource, 'stackName' | 'logicalId'>,
  maxLength = 64,
): string {
  const suffix = stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 12).toUpperCase();
  const room = maxLength - suffix.length - 2;
  const stack = resource.stackName.slice(0, Math.max(1, Math.floor(room / 2)));
  const logicalId = resource.logicalId.slice(0, room - stack.length);
  return `${stack}-${logicalId}-${suffix}`;
}

/** Letters and digits that look random and are always the same for one word in one folder. */
export function stableLetters(world: Pick<World, 'state'>, word: string, length: number): string {
  const digest = createHash('sha256')
    .update(`${seed(world)}/${word}`)
    .digest();
  return BigInt(`0x${digest.toString('hex')}`)
    .toString(36)
    .slice(0, length)
    .padEnd(length, '0');
}

function seed(world: Pick<World, 'state'>): string {
  const account = world.state.collection<string>('account');
  const known = account.get('seed');
  if (known !== undefined) return known;
  const made = randomBytes(8).toString('hex');
  account.set('seed', made);
  return made;
}
