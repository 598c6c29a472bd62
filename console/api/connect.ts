import { SFNClient } from '@aws-sdk/client-sfn';
import type { ReadOptions } from '../progress.ts';
import { type RunningRehearsal, runningRehearsals } from './rehearsals.ts';
import { type Place, PlainError } from './trouble.ts';

/** Which Step Functions is meant, as the command line says it. */
export interface ConnectionRequest {
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
  readonly endpointUrl?: string | undefined;
  /** A rehearsal of this clone, and nothing else. */
  readonly rehearsal?: boolean | undefined;
  /** AWS, also while a rehearsal is up. */
  readonly aws?: boolean | undefined;
}

export interface Connection {
  readonly client: SFNClient;
  readonly place: Place;
  /** For the model: undefined members on AWS. */
  readonly read: Pick<ReadOptions, 'rehearsal'>;
  /** Where that is, in words: `AWS`, `the rehearsal at http://127.0.0.1:40123`. */
  readonly where: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Step Functions where the person means it: at the endpoint that was named; else in the rehearsal of this clone that is
 * up, unless anything says AWS; else on AWS, by the ordinary profile and region.
 *
 * @throws PlainError when that cannot be told
 */
export function connect(
  request: ConnectionRequest,
  environment: Environment = process.env,
  rehearsals: () => readonly RunningRehearsal[] = runningRehearsals,
): Connection {
  if (request.rehearsal && request.aws) throw new PlainError('--rehearsal and --aws exclude each other.');
  const named = request.endpointUrl ?? (request.rehearsal || request.aws ? undefined : endpointIn(environment));
  if (named !== undefined) {
    const known = rehearsals().find(({ endpoint }) => endpoint === named.replace(/\/+$/, ''));
    return known ? toRehearsal(known, request.region, named) : toEndpoint(request, named, environment);
  }
  const saysAws = request.aws || request.profile !== undefined || request.region !== undefined;
  if (!saysAws || request.rehearsal) {
    const [newest, ...others] = rehearsals();
    if (newest && others.length === 0) return toRehearsal(newest, request.region, undefined);
    if (newest) throw new PlainError(severalRehearsals([newest, ...others]));
    if (request.rehearsal) {
      throw new PlainError('No rehearsal of this clone is up. npx lifecycle rehearse --keep starts one that stays.');
    }
  }
  return toAws(request, environment);
}

function endpointIn(environment: Environment): string | undefined {
  return environment.AWS_ENDPOINT_URL_SFN || environment.AWS_ENDPOINT_URL || undefined;
}

function severalRehearsals(rehearsals: readonly RunningRehearsal[]): string {
  const lines = rehearsals.map(({ endpoint, directory }) => `  --endpoint-url ${endpoint}   (${directory})`);
  return `Several rehearsals of this clone are up. Say which one, or --aws:\n${lines.join('\n')}`;
}

function toRehearsal(rehearsal: RunningRehearsal, region: string | undefined, named: string | undefined): Connection {
  const { endpoint, directory, pace } = rehearsal;
  return {
    client: clientOf(endpoint, region ?? rehearsal.region, rehearsalCredentials),
    place: { profile: undefined, endpointUrl: endpoint },
    read: { rehearsal: { directory, pace, ...(named === undefined ? {} : { endpointUrl: endpoint }) } },
    where: `the rehearsal at ${endpoint}`,
  };
}

/** An endpoint that no running rehearsal of this clone has: one of another clone, or whatever else speaks AWS's API. */
function toEndpoint(request: ConnectionRequest, endpointUrl: string, environment: Environment): Connection {
  if (!/^https?:\/\/[^/\s]+/.test(endpointUrl)) {
    throw new PlainError(`The endpoint “${endpointUrl}” is no address, such as http://127.0.0.1:40123.`);
  }
  const local = /^https?:\/\/(127\.|localhost|\[::1\])/.test(endpointUrl);
  const hasOwn = request.profile !== undefined || environment.AWS_ACCESS_KEY_ID || environment.AWS_PROFILE;
  const region = request.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  choose(request, environment);
  return {
    client: clientOf(
      endpointUrl,
      region ?? (local ? 'eu-west-1' : undefined),
      local && !hasOwn ? rehearsalCredentials : undefined,
    ),
    place: { profile: request.profile, endpointUrl },
    // AWS's own, by another name than the usual.
    read: /^https:\/\/[^/]*\.amazonaws\.com(\.cn)?(\/|$)/.test(endpointUrl) ? {} : { rehearsal: { endpointUrl } },
    where: endpointUrl,
  };
}

function toAws(request: ConnectionRequest, environment: Environment): Connection {
  choose(request, environment);
  const profile = request.profile ?? environment.AWS_PROFILE;
  return {
    client: clientOf(undefined, undefined, undefined),
    place: { profile, endpointUrl: undefined },
    read: {},
    where: profile === undefined ? 'AWS' : `AWS, profile ${profile}`,
  };
}

/** The SDK finds profile and region as the AWS CLI does, in the process's own environment. */
function choose({ profile, region }: ConnectionRequest, environment: Environment): void {
  if (environment !== process.env) return;
  if (profile !== undefined) {
    process.env.AWS_PROFILE = profile;
    // Keys in the environment would win over the profile that was asked for.
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    delete process.env.AWS_SESSION_TOKEN;
  }
  if (region !== undefined) process.env.AWS_REGION = region;
  else process.env.AWS_REGION ??= process.env.AWS_DEFAULT_REGION ?? '';
  if (process.env.AWS_REGION === '') delete process.env.AWS_REGION;
}

/** A rehearsal lets everybody in as its operator. */
const rehearsalCredentials = { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' };

function clientOf(
  endpoint: string | undefined,
  region: string | undefined,
  credentials: typeof rehearsalCredentials | undefined,
): SFNClient {
  return new SFNClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    // More than the SDK's own three: Step Functions lets a person's looks wait behind those of automatic systems.
    maxAttempts: 4,
  });
}
