import type { Config } from '../config.ts';
import type { Contradiction } from './contradiction.ts';
import { optionalList, wholeNumber } from './option-kinds.ts';

/** The network that the site stands in. */
export const networkOptions = {
  availabilityZones: optionalList(
    /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/,
    'two or three zones of the region, for example eu-west-1a,eu-west-1b',
    'The availability zones of the site; left out: zones a and b of its region.',
  ),
  natGateways: wholeNumber(1, 3, {
    doc: 'How many NAT gateways let the nodes reach the internet; one per zone survives the loss of a zone.',
    dev: 1,
    prod: 2,
  }),
} as const;

export const networkContradictions: readonly Contradiction[] = [
  (config) => {
    const zones = zonesOf(config);
    return zones.length < 2 || zones.length > 3 || !zones.every((zone) => zone.slice(0, -1) === config.region)
      ? `Option availabilityZones cannot be "${zones.join(',')}" with region=${config.region}. ` +
          `Allowed: ${networkOptions.availabilityZones.allowed}.`
      : undefined;
  },
  (config) =>
    config.natGateways > zonesOf(config).length
      ? `Option natGateways cannot be ${config.natGateways} with ${zonesOf(config).length} availability zones. ` +
        'Allowed: at most one per zone.'
      : undefined,
];

export function zonesOf({
  availabilityZones,
  region,
}: Pick<Config, 'availabilityZones' | 'region'>): readonly string[] {
  return availabilityZones ?? [`${region}a`, `${region}b`];
}
