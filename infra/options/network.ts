import type { Config } from '../config.ts';
import type { Contradiction } from './contradiction.ts';
import { oneOf, optionalList, optionalText, text, wholeNumber, yesNo } from './option-kinds.ts';

const subnetIds = /^subnet-[0-9a-f]{8,17}$/;
const oneSubnetPerZone = 'one subnet id per zone, comma-separated, in the order of availabilityZones';

/** Private addresses, so many that each zone has its /20 to /23 for nodes and a /27 at least for the load balancer. */
const privateRange = new RegExp(
  '^(?:10\\.(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])|172\\.(?:1[6-9]|2\\d|3[01])|192\\.168)' +
    '(?:\\.0\\.0/16|\\.(?:0|128)\\.0/17|\\.(?:0|64|128|192)\\.0/18|\\.(?:0|32|64|96|128|160|192|224)\\.0/19)$',
);

/**
 * Regions in which AWS gives many accounts zones of other letters than a and b: us-west-1 has two of a, b and c,
 * ap-northeast-1 has a, c and d, sa-east-1 a, b and c of which older accounts lack b.
 */
const otherZones: ReadonlySet<string> = new Set(['us-west-1', 'ap-northeast-1', 'sa-east-1']);

/** The network that the site stands in. */
export const networkOptions = {
  availabilityZones: optionalList(
    /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/,
    'two or three zones of the region, for example eu-west-1a,eu-west-1b',
    `The availability zones of the site; left out: zones a and b of its region. Needed in ${[...otherZones].join(', ')}.`,
  ),
  nodeZones: wholeNumber(1, 3, {
    doc: 'In how many of the zones nodes, files and caches are; load balancer and database always have two or more.',
    dev: 1,
    prod: 2,
  }),
  nat: oneOf(['none', 'one', 'per-zone'], {
    doc: 'How nodes reach the internet: not at all, by one NAT gateway, or by one in each zone with nodes.',
    dev: 'one',
    prod: 'per-zone',
  }),
  interfaceEndpoints: yesNo({
    doc: 'Whether nodes reach ECR, Secrets Manager, CloudWatch Logs and Systems Manager without leaving the network.',
    dev: false,
    prod: false,
  }),
  flowLogs: yesNo({
    doc: 'Whether who talked with whom in the network is logged.',
    dev: false,
    prod: true,
  }),
  vpcCidr: text(privateRange, 'a private range of /16 to /19, for example 10.0.0.0/16', {
    doc: 'The addresses of the network.',
    dev: '10.0.0.0/16',
    prod: '10.0.0.0/16',
  }),
  vpcId: optionalText(
    /^vpc-[0-9a-f]{8,17}$/,
    'the id of a VPC',
    'An existing network to stand in, with its own ways out and logs: nat, flowLogs and vpcCidr do not count then.',
  ),
  publicSubnetIds: optionalList(subnetIds, oneSubnetPerZone, 'Subnets of vpcId for the load balancer.'),
  nodeSubnetIds: optionalList(
    subnetIds,
    oneSubnetPerZone,
    'Subnets of vpcId for the nodes, with a way out to the internet that is not their own address.',
  ),
  dataSubnetIds: optionalList(subnetIds, oneSubnetPerZone, 'Subnets of vpcId for database, files and caches.'),
} as const;

export const networkContradictions: readonly Contradiction[] = [
  ({ availabilityZones, region }) =>
    availabilityZones === undefined && otherZones.has(region)
      ? `Option availabilityZones is needed with region=${region}: not every account has the zones a and b there. Yours are ` +
        `listed by aws ec2 describe-availability-zones --region ${region} --query AvailabilityZones[].ZoneName. Give two or ` +
        `three of them, for example -c availabilityZones=${region}a,${region}c.`
      : undefined,
  (config) => {
    const zones = zonesOf(config);
    return zones.length < 2 || zones.length > 3 || !zones.every((zone) => zone.slice(0, -1) === config.region)
      ? `Option availabilityZones cannot be "${zones.join(',')}" with region=${config.region}. ` +
          `Allowed: ${networkOptions.availabilityZones.allowed}.`
      : undefined;
  },
  (config) =>
    config.nodeZones > zonesOf(config).length
      ? `Option nodeZones cannot be ${config.nodeZones} with ${zonesOf(config).length} availability zones. ` +
        'Allowed: at most as many.'
      : undefined,
  ({ nat, interfaceEndpoints, vpcId }) =>
    nat === 'none' && !interfaceEndpoints && vpcId === undefined
      ? 'Option nat cannot be none with interfaceEndpoints=false: no node could fetch its image, read its secrets or ' +
        'write its log. Give -c interfaceEndpoints=true, or allow a way out with -c nat=one.'
      : undefined,
  ({ nat, databaseAccess, vpcId }) =>
    nat === 'none' && databaseAccess === 'network' && vpcId === undefined
      ? 'Option nat cannot be none with databaseAccess=network: the phase functions would be inside the network, and ' +
        'they call AWS services that have no endpoint there. Give -c databaseAccess=data-api or -c nat=one, or a network ' +
        'of your own (vpcId).'
      : undefined,
  ({ nat, compute, vpcId }) =>
    nat === 'none' && compute === 'ec2' && vpcId === undefined
      ? 'Option nat cannot be none with compute=ec2: instances find their cluster by endpoints that the network does not ' +
        'have. Give -c compute=fargate or -c nat=one.'
      : undefined,
  (config) => {
    const given = existingNetwork.find((name) => config[name] !== undefined);
    // The zones too: nobody can tell from an id which zone a subnet is in.
    const missing = [...existingNetwork, 'availabilityZones' as const].filter((name) => config[name] === undefined);
    return given !== undefined && missing.length > 0
      ? `Option ${given} needs ${missing.join(', ')}: an existing network is given whole.`
      : undefined;
  },
  (config) => {
    const zones = zonesOf(config).length;
    const name = existingSubnets.find((each) => config[each] !== undefined && config[each].length !== zones);
    return name === undefined
      ? undefined
      : `Option ${name} cannot be "${config[name]?.join(',')}" with ${zones} availability zones. ` +
          `Allowed: ${oneSubnetPerZone}.`;
  },
  ({ vpcId, interfaceEndpoints }) =>
    vpcId !== undefined && interfaceEndpoints
      ? 'Option interfaceEndpoints cannot be true with vpcId: an existing network has its own endpoints, and the names ' +
        'of two for one service would clash. Allowed: false.'
      : undefined,
];

const existingSubnets = ['publicSubnetIds', 'nodeSubnetIds', 'dataSubnetIds'] as const;
const existingNetwork = ['vpcId', ...existingSubnets] as const;

export function zonesOf({
  availabilityZones,
  region,
}: Pick<Config, 'availabilityZones' | 'region'>): readonly string[] {
  return availabilityZones ?? [`${region}a`, `${region}b`];
}

/** The zones that have nodes, files and caches. */
export function nodeZonesOf(config: Pick<Config, 'availabilityZones' | 'region' | 'nodeZones'>): string[] {
  return zonesOf(config).slice(0, config.nodeZones);
}
