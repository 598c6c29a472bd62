import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { cachesOf } from '../caches.ts';
import { startMemcached } from '../memcached.ts';
import { startRedis, startServerlessRedis } from '../redis.ts';

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

const user: ResourceProvider = {
  type: 'AWS::ElastiCache::User',
  properties: ['AccessString', 'AuthenticationMode', 'Engine', 'Tags', 'UserId', 'UserName'],
  create({ properties }, world) {
    const { UserId, UserName, AccessString, AuthenticationMode } = properties;
    const [password, ...others] = AuthenticationMode?.Passwords ?? [];
    if (AuthenticationMode?.Type !== 'password' || typeof password !== 'string' || others.length > 0) {
      throw new Error('the rehearsal has only cache users with one password.');
    }
    if (password.length < 16 || password.length > 128)
      throw new Error('a cache user has a password of 16 to 128 characters.');
    const ref = String(UserId).toLowerCase();
    cachesOf(world).users.set(ref, { name: String(UserName), accessString: String(AccessString), password });
    return { ref, attributes: { Arn: arn(world, 'elasticache', `user:${ref}`), Status: 'active' } };
  },
};

const userGroup: ResourceProvider = {
  type: 'AWS::ElastiCache::UserGroup',
  properties: ['Engine', 'Tags', 'UserGroupId', 'UserIds'],
  create({ properties }, world) {
    const ref = String(properties.UserGroupId).toLowerCase();
    cachesOf(world).userGroups.set(ref, properties.UserIds);
    return { ref, attributes: { Arn: arn(world, 'elasticache', `usergroup:${ref}`), Status: 'active' } };
  },
};

const serverlessCache: ResourceProvider = {
  type: 'AWS::ElastiCache::ServerlessCache',
  properties: [
    'Engine',
    'ServerlessCacheName',
    'UserGroupId',
    // One server on one computer.
    'CacheUsageLimits',
    'Description',
    'MajorEngineVersion',
    'SecurityGroupIds',
    'SubnetIds',
    'Tags',
  ],
  async create({ properties }, world) {
    const { Engine, UserGroupId, Description } = properties;
    const id = String(properties.ServerlessCacheName).toLowerCase();
    if (Engine !== 'redis' && Engine !== 'valkey') throw new Error(`the rehearsal has no serverless ${Engine}.`);
    const { users, userGroups, serverless } = cachesOf(world);
    const [member, ...others] = (userGroups.get(UserGroupId) ?? []).map((userId) => users.get(userId));
    if (member?.name !== 'default' || others.length > 0) {
      throw new Error('the rehearsal has only serverless caches of one user, who is named default.');
    }
    const { host, port } = await startServerlessRedis(world, id, member.password, member.accessString);
    const ownArn = arn(world, 'elasticache', `serverlesscache:${id}`);
    serverless.set(id, {
      id,
      arn: ownArn,
      engine: Engine,
      description: String(Description ?? ''),
      nodeType: '',
      host,
      port,
      userGroupId: UserGroupId,
    });
    return {
      ref: id,
      attributes: { ARN: ownArn, 'Endpoint.Address': host, 'Endpoint.Port': String(port), Status: 'available' },
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
  user,
  userGroup,
  serverlessCache,
  subnetGroup,
  parameterGroup,
];
