import type { Service } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { clusterOperations } from './clusters.ts';
import { instanceOperations } from './instances.ts';
import { snapshotOperations } from './snapshots.ts';
import { tagOperations } from './tags.ts';

/** The part of the Amazon RDS API that rollouts and operators use: databases that are really copied and restored. */
export function rdsService(world: World): Service {
  return {
    signingName: 'rds',
    protocol: 'query',
    xmlNamespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
    listElements: {
      DBClusters: 'DBCluster',
      DBClusterMembers: 'DBClusterMember',
      DBClusterSnapshots: 'DBClusterSnapshot',
      DBInstances: 'DBInstance',
      DBParameterGroups: 'DBParameterGroup',
      DBSnapshots: 'DBSnapshot',
      TagList: 'Tag',
      VpcSecurityGroups: 'VpcSecurityGroupMembership',
    },
    operations: {
      ...clusterOperations(world),
      ...instanceOperations(world),
      ...snapshotOperations(world),
      ...tagOperations(world),
    },
  };
}
