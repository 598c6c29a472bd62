import { AwsError, type Service } from '../endpoint/service.ts';
import { type Cache, cachesOf } from '../machines/caches.ts';
import { arn, type World } from '../world.ts';

/** The part of the Amazon ElastiCache API that rollouts and operators use. */
export function elasticache(world: World): Service {
  const { replicationGroups, clusters, serverless } = cachesOf(world);
  return {
    signingName: 'elasticache',
    protocol: 'query',
    xmlNamespace: 'http://elasticache.amazonaws.com/doc/2015-02-02/',
    listElements: {
      ReplicationGroups: 'ReplicationGroup',
      NodeGroups: 'NodeGroup',
      NodeGroupMembers: 'NodeGroupMember',
      MemberClusters: 'ClusterId',
      CacheClusters: 'CacheCluster',
      CacheNodes: 'CacheNode',
      ServerlessCaches: 'member',
    },
    operations: {
      DescribeReplicationGroups: {
        members: ['ReplicationGroupId', 'MaxRecords', 'Marker'],
        permissions: ({ ReplicationGroupId = '*' }: { ReplicationGroupId?: string }) => [
          {
            action: 'elasticache:DescribeReplicationGroups',
            resource: arn(world, 'elasticache', `replicationgroup:${ReplicationGroupId}`),
          },
        ],
        run: ({ ReplicationGroupId: id }: { ReplicationGroupId?: string }) => ({
          ReplicationGroups: chosen(replicationGroups, id, (name) =>
            notFound('ReplicationGroupNotFoundFault', `ReplicationGroup ${name} not found.`),
          ).map(describeReplicationGroup),
        }),
      },
      DescribeServerlessCaches: {
        members: ['ServerlessCacheName', 'MaxResults', 'NextToken'],
        permissions: ({ ServerlessCacheName = '*' }: { ServerlessCacheName?: string }) => [
          {
            action: 'elasticache:DescribeServerlessCaches',
            resource: arn(world, 'elasticache', `serverlesscache:${ServerlessCacheName}`),
          },
        ],
        run: ({ ServerlessCacheName: name }: { ServerlessCacheName?: string }) => ({
          ServerlessCaches: chosen(serverless, name, (missing) =>
            notFound('ServerlessCacheNotFoundFault', `ServerlessCache ${missing} not found.`),
          ).map((cache) => ({
            ServerlessCacheName: cache.id,
            Description: cache.description,
            // In capitals, unlike the other kinds.
            Status: 'AVAILABLE',
            Engine: cache.engine,
            Endpoint: { Address: cache.host, Port: cache.port },
            ARN: cache.arn,
            UserGroupId: cache.userGroupId,
          })),
        }),
      },
      DescribeCacheClusters: {
        members: [
          'CacheClusterId',
          'ShowCacheNodeInfo',
          'ShowCacheClustersNotInReplicationGroups',
          'MaxRecords',
          'Marker',
        ],
        permissions: ({ CacheClusterId = '*' }: { CacheClusterId?: string }) => [
          {
            action: 'elasticache:DescribeCacheClusters',
            resource: arn(world, 'elasticache', `cluster:${CacheClusterId}`),
          },
        ],
        run: ({ CacheClusterId: id, ShowCacheNodeInfo }: { CacheClusterId?: string; ShowCacheNodeInfo?: string }) => ({
          CacheClusters: chosen(clusters, id, (name) =>
            notFound('CacheClusterNotFound', `CacheCluster ${name} not found.`),
          ).map((cache) => describeCluster(cache, ShowCacheNodeInfo === 'true')),
        }),
      },
    },
  };
}

function chosen<Kind extends Cache>(
  caches: ReadonlyMap<string, Kind>,
  id: string | undefined,
  missing: (id: string) => Error,
): Kind[] {
  if (id === undefined) return [...caches.values()];
  const cache = caches.get(id);
  if (!cache) throw missing(id);
  return [cache];
}

function notFound(code: string, words: string): AwsError {
  return new AwsError(code, words, 404);
}

function describeReplicationGroup(cache: Cache): object {
  const endpoint = { Address: cache.host, Port: cache.port };
  const member = `${cache.id}-001`;
  return {
    ReplicationGroupId: cache.id,
    Description: cache.description,
    Status: 'available',
    MemberClusters: [member],
    NodeGroups: [
      {
        NodeGroupId: '0001',
        Status: 'available',
        PrimaryEndpoint: endpoint,
        ReaderEndpoint: endpoint,
        NodeGroupMembers: [
          { CacheClusterId: member, CacheNodeId: '0001', ReadEndpoint: endpoint, CurrentRole: 'primary' },
        ],
      },
    ],
    AutomaticFailover: 'disabled',
    MultiAZ: 'disabled',
    ClusterEnabled: false,
    CacheNodeType: cache.nodeType,
    AuthTokenEnabled: true,
    TransitEncryptionEnabled: true,
    AtRestEncryptionEnabled: true,
    ARN: cache.arn,
    Engine: cache.engine,
  };
}

function describeCluster(cache: Cache, withNodes: boolean): object {
  const endpoint = { Address: cache.host, Port: cache.port };
  return {
    CacheClusterId: cache.id,
    ConfigurationEndpoint: endpoint,
    CacheNodeType: cache.nodeType,
    Engine: cache.engine,
    CacheClusterStatus: 'available',
    NumCacheNodes: 1,
    ...(withNodes ? { CacheNodes: [{ CacheNodeId: '0001', CacheNodeStatus: 'available', Endpoint: endpoint }] } : {}),
    AuthTokenEnabled: false,
    TransitEncryptionEnabled: false,
    ARN: cache.arn,
  };
}
