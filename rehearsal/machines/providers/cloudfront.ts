import { readFileSync } from 'node:fs';
import { perWorld } from '../../per-world.ts';
import { ec2Id } from '../../template/passive/passive-type.ts';
import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import type { World } from '../../world.ts';
import { Distribution, type Origin } from '../cloudfront/distribution.ts';
import { namesOf } from '../names.ts';
import { choosePort, LOOPBACK } from '../ports.ts';
import { tlsServerOptions } from '../tls-server.ts';

/** How VPC origins are spoken to, by their id. */
const vpcOriginsOf = perWorld(() => new Map<string, Origin['scheme']>());

const vpcOrigin: ResourceProvider = {
  type: 'AWS::CloudFront::VpcOrigin',
  properties: ['Tags', 'VpcOriginEndpointConfig'],
  create(resource, world) {
    const id = ec2Id('vo')(resource, world);
    vpcOriginsOf(world).set(id, schemeOf(resource.properties.VpcOriginEndpointConfig.OriginProtocolPolicy));
    return { ref: id, attributes: { Id: id, Arn: globalArn(world, `vpcorigin/${id}`) } };
  },
};

/** What of a distribution's configuration has no meaning where nothing is cached and nobody is far away. */
const setAside = [
  'Aliases',
  'CacheBehaviors',
  'Comment',
  'CustomErrorResponses',
  'DefaultCacheBehavior',
  'Enabled',
  'HttpVersion',
  'IPV6Enabled',
  'Logging',
  'PriceClass',
  'ViewerCertificate',
  'WebACLId',
];

const distribution: ResourceProvider = {
  type: 'AWS::CloudFront::Distribution',
  properties: ['DistributionConfig', 'Tags'],
  async create(resource, world) {
    const { Origins, ...config } = resource.properties.DistributionConfig;
    const unknown = Object.keys(config).filter((member) => !setAside.includes(member));
    if (unknown.length > 0) throw new Error(`the rehearsal does not know ${unknown} of a distribution.`);
    if (Origins.length !== 1) throw new Error('the rehearsal knows distributions with one origin.');
    const port = await choosePort(world, `distribution/${resource.logicalId}`);
    const authority = readFileSync(world.certificateAuthorityFile, 'utf8');
    const made = new Distribution(originOf(world, Origins[0]), tlsServerOptions(world), authority);
    await made.listen(port);
    world.onClose(() => made.close());
    // As with a load balancer, the make-believe name carries the port.
    const name = `${LOOPBACK}:${port}`;
    namesOf(world).listens(name, 443, port);
    const id = physicalName(world, resource, 14)
      .replace(/[^A-Za-z0-9]/g, '')
      .toUpperCase();
    return { ref: id, attributes: { DomainName: name, Id: id } };
  },
};

// biome-ignore lint/suspicious/noExplicitAny: the shape is CloudFormation's; every member that is read is checked.
function originOf(world: World, origin: any): Origin {
  const { VpcOriginConfig: vpc, CustomOriginConfig: custom, OriginCustomHeaders: headers = [] } = origin;
  const scheme = vpc ? vpcOriginsOf(world).get(vpc.VpcOriginId) : custom && schemeOf(custom.OriginProtocolPolicy);
  if (scheme === undefined) throw new Error('the rehearsal knows VPC origins and custom origins, with one protocol.');
  return {
    scheme,
    localPort: () => namesOf(world).localPort(origin.DomainName, scheme === 'https' ? 443 : 80),
    customHeaders: Object.fromEntries(
      headers.map(({ HeaderName, HeaderValue }: { HeaderName: string; HeaderValue: string }) => [
        HeaderName,
        HeaderValue,
      ]),
    ),
    readTimeoutSeconds: Number((vpc ?? custom).OriginReadTimeout ?? 30),
  };
}

function schemeOf(policy: string): Origin['scheme'] {
  if (policy === 'https-only') return 'https';
  if (policy === 'http-only') return 'http';
  throw new Error(`the rehearsal does not know the origin protocol policy ${policy}.`);
}

function globalArn({ partition, account }: World, resource: string): string {
  return `arn:${partition}:cloudfront::${account}:${resource}`;
}

export const cloudFrontProviders: readonly ResourceProvider[] = [vpcOrigin, distribution];
