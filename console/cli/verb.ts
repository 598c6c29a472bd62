import type { Arguments, Options } from './command-line.ts';
import type { Session } from './session.ts';

export interface Verb {
  readonly name: string;
  /** One line, as a title. */
  readonly summary: string;
  /** Words after the verb, as the help shows them, for example `[EXECUTION | FILE]`. */
  readonly usage?: string;
  /** Most words that it takes. */
  readonly words: number;
  readonly options: Options;
  /** What else has to be known, as paragraphs. */
  readonly details?: readonly string[];
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** What its first word may be, where those are few. */
  readonly choices?: () => readonly string[];
  /** Options that depend upon the first word. */
  readonly optionsFor?: (word: string | undefined) => Options;
  /** Passes on what follows the verb, unread. */
  readonly passesOn?: boolean;
  /** Loaded when it is run, so that the help of one need not load the SDK for all. */
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** @returns the exit code */
export type Run = (session: Session, given: Arguments, rest: readonly string[]) => Promise<number>;

/** Options that every verb has which talks to Step Functions. */
export const connectionOptions: Options = {
  site: { type: 'string', value: 'NAME', doc: 'which site, where there are several' },
  profile: { type: 'string', value: 'NAME', doc: 'AWS profile, as for the AWS CLI' },
  region: { type: 'string', value: 'NAME', doc: 'AWS region, as for the AWS CLI' },
  rehearsal: {
    type: 'boolean',
    doc: 'the rehearsal of this clone that is up (the default while one is, unless --profile or --region is given)',
  },
  aws: { type: 'boolean', doc: 'AWS, also while a rehearsal is up' },
  'endpoint-url': { type: 'string', value: 'URL', doc: 'another endpoint; also from AWS_ENDPOINT_URL' },
};

export const helpOption: Options = { help: { type: 'boolean', doc: 'this text' } };
