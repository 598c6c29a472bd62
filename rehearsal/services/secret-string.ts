import { randomInt } from 'node:crypto';

/** `GenerateSecretString` of AWS::SecretsManager::Secret. */
export interface GenerateSecretString {
  readonly ExcludeCharacters?: string;
  readonly ExcludeLowercase?: boolean;
  readonly ExcludeNumbers?: boolean;
  readonly ExcludePunctuation?: boolean;
  readonly ExcludeUppercase?: boolean;
  readonly GenerateStringKey?: string;
  readonly IncludeSpace?: boolean;
  readonly PasswordLength?: number;
  readonly RequireEachIncludedType?: boolean;
  readonly SecretStringTemplate?: string;
}

const known = [
  'ExcludeCharacters',
  'ExcludeLowercase',
  'ExcludeNumbers',
  'ExcludePunctuation',
  'ExcludeUppercase',
  'GenerateStringKey',
  'IncludeSpace',
  'PasswordLength',
  'RequireEachIncludedType',
  'SecretStringTemplate',
];

/** What Secrets Manager calls punctuation. From the reference of GetRandomPassword. */
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/**
 * A new secret's text: a random password, or the template's JSON object with the password in one more field.
 *
 * @throws Error for a member that is not known, or when nothing is left to choose from
 */
export function generateSecretString(request: GenerateSecretString): string {
  const unknown = Object.keys(request).filter((member) => !known.includes(member));
  if (unknown.length > 0) throw new Error(`GenerateSecretString: the rehearsal does not know ${unknown.join(', ')}.`);
  const password = randomPassword(request);
  if (request.SecretStringTemplate === undefined) return password;
  const fields = JSON.parse(request.SecretStringTemplate) as Record<string, unknown>;
  return JSON.stringify({ ...fields, [request.GenerateStringKey ?? 'password']: password });
}

function randomPassword(request: GenerateSecretString): string {
  const excluded = new Set(request.ExcludeCharacters ?? '');
  const kinds = [
    request.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    request.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    request.ExcludeNumbers ? '' : '0123456789',
    request.ExcludePunctuation ? '' : punctuation,
    request.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((character) => !excluded.has(character)))
    .filter((kind) => kind.length > 0);
  const length = Number(request.PasswordLength ?? 32);
  const required = (request.RequireEachIncludedType ?? true) ? kinds.map(pick) : [];
  const all = kinds.flat();
  if (all.length === 0 || required.length > length) throw new Error('GenerateSecretString excludes every password.');
  const rest = Array.from({ length: length - required.length }, () => pick(all));
  return shuffle([...required, ...rest]).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}

function shuffle(characters: readonly string[]): string[] {
  return characters
    .map((character) => ({ character, position: randomInt(2 ** 32) }))
    .sort((a, b) => a.position - b.position)
    .map(({ character }) => character);
}
