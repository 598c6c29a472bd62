import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { cachesOf } from '../caches.ts';
import { startMemcached } from '../memcached.ts';
import { startRedis } from '../redis.ts';

const replicationGroup: ResourceProvider = {
  type: 'AWS::ElastiCache::ReplicationGroup',
  properties: [
    'AuthToken',
    'CacheNodeType',
    'CacheParameterGroupName',
    'Engine',
    'ReplicationGroupDescription',
    'ReplicationGroupId',
    'TransitEncryptionEnabled',
    // One server on one computer: nothing to fail over to, nothing to back up.
    'AtRestEncryptionEnabled',
    'AutoMinorVersionUpgrade',
    'AutomaticFailoverEnabled',
    'CacheSubnetGroupName',
    'EngineVersion',
    'MultiAZEnabled',
    'NumCacheClusters',
    'SecurityGroupIds',
    'SnapshotRetentionLimit',
    'SnapshotWindow',
    'Tags',
  ],
  async create(resource, world) {
    const { properties } = resource;
    const id = identifier(world, resource, properties.ReplicationGroupId, 40);
    if (properties.Engine !== 'redis' && properties.Engine !== 'valkey') {
      throw new Error(`a replication group's engine is redis or valkey, not ${properties.Engine}.`);
    }
    if (String(properties.TransitEncryptionEnabled) !== 'true' || !properties.AuthToken) {
      throw new Error("the rehearsal's Redis speaks TLS with AUTH only: TransitEncryptionEnabled and AuthToken.");
    }
    const token = String(properties.AuthToken);
    if (token.length < 16 || token.length > 128) throw new Error('AuthToken has 16 to 128 characters.');
    const { host, port } = await startRedis(world, id, token, parametersOf(world, properties.CacheParameterGroupName));
    cachesOf(world).replicationGroups.set(id, {
      id,
      arn: arn(world, 'elasticache', `replicationgroup:${id}`),
      engine: properties.Engine,
      description: String(properties.ReplicationGroupDescription ?? ''),
      nodeType: String(properties.CacheNodeType ?? ''),
      host,
      port,
    });
    return {
      ref: id,
      attributes: {
        'PrimaryEndPoint.Address': host,
        'PrimaryEndPoint.Port': String(port),
        'ReaderEndPoint.Address': host,
        'ReaderEndPoint.Port': String(port),
      },
    };
  },
};

const cacheCluster: ResourceProvider = {
  type: 'AWS::ElastiCache::CacheCluster',
  properties: [
    'CacheNodeType',
    'ClusterName',
    'Engine',
    'NumCacheNodes',
    // Without meaning for one server on one computer.
    'AZMode',
    'AutoMinorVersionUpgrade',
    'CacheSubnetGroupName',
    'EngineVersion',
    'Tags',
    'TransitEncryptionEnabled',
    'VpcSecurityGroupIds',
  ],
  async create(resource, world) {
    const { properties } = resource;
    if (properties.Engine !== 'memcached' || String(properties.NumCacheNodes) !== '1') {
      throw new Error('the rehearsal has only cache clusters of Memcached with one node.');
    }
    if (String(properties.TransitEncryptionEnabled ?? 'false') !== 'false') {
      throw new Error("the rehearsal's Memcached does not speak TLS.");
    }
    const id = identifier(world, resource, properties.ClusterName, 50);
    const { host, port } = await startMemcached(world, id);
    cachesOf(world).clusters.set(id, {
      id,
      arn: arn(world, 'elasticache', `cluster:${id}`),
      engine: 'memcached',
      description: '',
      nodeType: String(properties.CacheNodeType ?? ''),
      host,
      port,
    });
    return {
      ref: id,
      attributes: { 'ConfigurationEndpoint.Address': host, 'ConfigurationEndpoint.Port': String(port) },
    };
  },
};

const subnetGroup: ResourceProvider = {
  type: 'AWS::ElastiCache::SubnetGroup',
  properties: ['CacheSubnetGroupName', 'Description', 'SubnetIds', 'Tags'],
  create: (resource, world) => ({ ref: physicalName(world, resource).toLowerCase(), attributes: {} }),
};

/** Parameters of ElastiCache that are settings of Redis under the same name. */
const redisParameters = ['maxmemory-policy', 'timeout', 'tcp-keepalive', 'notify-keyspace-events'];

const parameterGroup: ResourceProvider = {
  type: 'AWS::ElastiCache::ParameterGroup',
  properties: ['CacheParameterGroupFamily', 'Description', 'Properties', 'Tags'],
  create(resource, world) {
    const settings = (resource.properties.Properties ?? {}) as Record<string, string>;
    const unknown = Object.keys(settings).filter((name) => !redisParameters.includes(name));
    if (unknown.length > 0) throw new Error(`the rehearsal does not know the parameter ${unknown.join(', ')}.`);
    const ref = physicalName(world, resource).toLowerCase();
    cachesOf(world).parameters.set(ref, settings);
    return { ref, attributes: { CacheParameterGroupName: ref } };
  },
};

function parametersOf(world: World, groupName: unknown): Readonly<Record<string, string>> {
  if (groupName === undefined) return {};
  const known = cachesOf(world).parameters.get(String(groupName));
  if (known) return known;
  if (String(groupName).startsWith('default.')) return {};
  throw new Error(`there is no parameter group ${groupName}.`);
}

function identifier(world: World, resource: ResolvedResource, given: unknown, maxLength: number): string {
  return String(given ?? physicalName(world, resource, maxLength)).toLowerCase();
}

export const elasticacheProviders: readonly ResourceProvider[] = [
  replicationGroup,
  cacheCluster,
  subnetGroup,
  parameterGroup,
];
