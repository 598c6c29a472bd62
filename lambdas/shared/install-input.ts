import { isIP } from 'node:net';
import { Ajv, type ErrorObject } from 'ajv';
import { InputInvalid } from './errors.ts';
import schema from './install-input.schema.json' with { type: 'json' };
import { asMoodleWritesIt } from './moodle-address.ts';

export interface InstallInput {
  readonly nodes: number;
  readonly finish: 'unattended' | 'browser';
  /** As Moodle writes an address; null when not needed. */
  readonly adminIp: string | null;
  /** Whether database and files were brought here from elsewhere. */
  readonly existingSite: boolean;
  /** Whether the old site had lost the files that are named by its database and are not there. */
  readonly acceptMissingFiles: boolean;
  readonly reason: string;
}

const ajv = new Ajv({ allErrors: true, verbose: true });
// Of IPv6 with a dotted end Moodle makes a wrong address, and with a zone none: no client ever has such a one for it.
ajv.addFormat('ip', (address) => isIP(address) === 4 || (isIP(address) === 6 && !/[.%]/.test(address)));
const valid = ajv.compile<Partial<InstallInput>>(schema);

/** @throws InputInvalid naming every member that is wrong and what it may be */
export function readInstallInput(
  input: unknown,
  { defaultNodes, maximumNodes }: { readonly defaultNodes: number; readonly maximumNodes: number },
): InstallInput {
  const given = input ?? {};
  if (!valid(given)) throw refused((valid.errors ?? []).map(words).filter(Boolean));
  if (given.acceptMissingFiles && !given.existingSite) {
    throw refused(['acceptMissingFiles is only for existingSite = true']);
  }
  const nodes = given.nodes ?? defaultNodes;
  if (nodes > maximumNodes) {
    throw refused([`nodes is ${nodes}, but the site was deployed for at most ${maximumNodes}`]);
  }
  return {
    nodes,
    finish: given.finish ?? 'unattended',
    adminIp: given.adminIp ? asMoodleWritesIt(given.adminIp) : null,
    existingSite: given.existingSite ?? false,
    acceptMissingFiles: given.acceptMissingFiles ?? false,
    reason: given.reason || 'install',
  };
}

function refused(problems: readonly string[]): InputInvalid {
  return new InputInvalid(
    `The execution’s input is not valid: ${[...new Set(problems)].join('; ')}. Nothing was touched. Start it again, for ` +
      'example with {} or {"nodes": 2} or {"finish": "browser", "adminIp": "203.0.113.7"}.',
  );
}

function words({ instancePath, keyword, params, message, data }: ErrorObject): string {
  const where = instancePath.slice(1) || 'the input';
  switch (keyword) {
    case 'additionalProperties':
      return `${params.additionalProperty} is not known (known are ${Object.keys(schema.properties).join(', ')})`;
    case 'enum':
      return `${where} is ${JSON.stringify(data)}, not ${params.allowedValues.join(' or ')}`;
    case 'format':
      return `${where} is ${JSON.stringify(data)}, not an IPv4 address or an IPv6 address of hexadecimal groups`;
    case 'required':
      return 'adminIp is needed with finish = browser';
    case 'not':
      return 'adminIp is only for finish = browser';
    case 'if':
      return '';
    default:
      return `${where} ${message}`;
  }
}
