import { readParameter } from '../services/parameter-store.ts';
import { readSecretField } from '../services/secrets-store.ts';
import type { World } from '../world.ts';

const reference = /\{\{resolve:([a-z-]+):([^{}]+)\}\}/g;

/**
 * A text with its dynamic references replaced, as CloudFormation does when it makes a resource.
 *
 * @throws Error when the parameter or secret is not there, or for another service than these two
 */
export function resolveDynamicReferences(world: World, text: string): string {
  return text.replace(reference, (whole, service: string, rest: string) => {
    if (service === 'ssm') return parameter(world, rest);
    if (service === 'secretsmanager') return secret(world, rest);
    throw new Error(`the rehearsal does not know the dynamic reference ${whole}.`);
  });
}

function parameter(world: World, rest: string): string {
  const [name = '', version] = rest.split(':');
  const found = readParameter(world, version === undefined ? name : `${name}:${version}`);
  if (!found) throw new Error(`there is no SSM parameter ${rest}.`);
  return found.value;
}

/** `<id or ARN>:SecretString:<JSON key>:<stage>:<version>`; all but the first may be absent. */
function secret(world: World, rest: string): string {
  const words = rest.split(':');
  const idLength = rest.startsWith('arn:') ? 7 : 1;
  const id = words.slice(0, idLength).join(':');
  const [kind = 'SecretString', key = '', stage = '', version = ''] = words.slice(idLength);
  if (kind !== 'SecretString' || version !== '' || (stage !== '' && stage !== 'AWSCURRENT')) {
    throw new Error(`the rehearsal resolves the current SecretString only, not ${rest}.`);
  }
  return readSecretField(world, id, key);
}
