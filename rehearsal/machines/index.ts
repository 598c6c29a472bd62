import type { Service } from '../endpoint/service.ts';
import { applicationAutoScaling } from '../services/application-autoscaling.ts';
import { backupService } from '../services/backup.ts';
import { codeBuild } from '../services/codebuild.ts';
import { ecs } from '../services/ecs.ts';
import { elasticache } from '../services/elasticache.ts';
import { elbv2 } from '../services/elbv2.ts';
import { rdsService } from '../services/rds/service.ts';
import type { ResourceProvider } from '../template/provider.ts';
import type { World } from '../world.ts';
import { autoScalingProviders } from './providers/auto-scaling.ts';
import { backupProviders } from './providers/backup.ts';
import { cloudFrontProviders } from './providers/cloudfront.ts';
import { codeBuildProviders } from './providers/codebuild.ts';
import { ecrProviders } from './providers/ecr.ts';
import { ecsProviders } from './providers/ecs.ts';
import { efsProviders } from './providers/efs.ts';
import { elasticacheProviders } from './providers/elasticache.ts';
import { loadBalancingProviders } from './providers/load-balancing.ts';
import { rdsProviders } from './providers/rds.ts';
import { route53Providers } from './providers/route53.ts';
import { requireSameMoodle } from './same-moodle.ts';

export { findDatabase } from './databases.ts';

/** The resource types behind which real processes of this computer stand. */
export const machineProviders: readonly ResourceProvider[] = [
  ...rdsProviders,
  ...elasticacheProviders,
  ...efsProviders,
  ...backupProviders,
  ...ecrProviders,
  ...codeBuildProviders,
  ...loadBalancingProviders,
  ...cloudFrontProviders,
  ...route53Providers,
  ...ecsProviders,
  ...autoScalingProviders,
];

/**
 * Their APIs.
 *
 * @throws Error when the rehearsal's folder holds a site of another Moodle
 */
export function machineServices(world: World): readonly Service[] {
  requireSameMoodle(world);
  return [
    ecs(world),
    elbv2(world),
    applicationAutoScaling(world),
    codeBuild(world),
    elasticache(world),
    rdsService(world),
    backupService(world),
  ];
}
