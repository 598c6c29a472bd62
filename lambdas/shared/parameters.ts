import { GetParametersCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { SessionStore, Settings } from './settings.ts';

/** Last part of the names of the SSM parameters that rollouts change, and `scheduled-nodes`, which the exam day does. */
export const parameterNames = [
  'session-store',
  'image-tag',
  'desired-nodes',
  'minimum-nodes',
  'maximum-nodes',
  'scheduled-nodes',
  'cron-nodes',
] as const;

export type ParameterName = (typeof parameterNames)[number];
export type SiteParameters = Readonly<Record<ParameterName, string>>;

/** Value of `image-tag` while the site has no image. */
export const noImage = 'none';

export async function readParameters(ssm: SSMClient, settings: Settings): Promise<SiteParameters> {
  const full = (name: ParameterName) => `${settings.parameterPrefix}/${name}`;
  const { Parameters = [], InvalidParameters = [] } = await ssm.send(
    new GetParametersCommand({ Names: parameterNames.map(full) }),
  );
  if (InvalidParameters.length > 0) {
    throw new TypeError(`The SSM parameters ${InvalidParameters.join(', ')} are not there. Deploy the settings stack.`);
  }
  const value = (name: ParameterName) => Parameters.find((parameter) => parameter.Name === full(name))?.Value ?? '';
  return {
    'session-store': value('session-store'),
    'image-tag': value('image-tag'),
    'desired-nodes': value('desired-nodes'),
    'minimum-nodes': value('minimum-nodes'),
    'maximum-nodes': value('maximum-nodes'),
    'scheduled-nodes': value('scheduled-nodes'),
    'cron-nodes': value('cron-nodes'),
  };
}

/** Writes only what differs: a parameter keeps its last 100 versions, and writes are limited to a few a second. */
export async function writeParameters(
  ssm: SSMClient,
  settings: Settings,
  wanted: Partial<SiteParameters>,
): Promise<ParameterName[]> {
  const current = await readParameters(ssm, settings);
  const changed = parameterNames.filter((name) => wanted[name] !== undefined && wanted[name] !== current[name]);
  for (const name of changed) {
    await ssm.send(
      new PutParameterCommand({
        Name: `${settings.parameterPrefix}/${name}`,
        Value: wanted[name],
        Overwrite: true,
      }),
    );
  }
  return changed;
}

export function sessionStoreOf(parameters: SiteParameters): SessionStore {
  const value = parameters['session-store'];
  if (value === 'database' || value === 'redis' || value === 'memcached') return value;
  throw new TypeError(`The SSM parameter session-store is “${value}”, not database, redis or memcached.`);
}
