import type { Service } from './endpoint/service.ts';
import { iamProviders } from './iam/providers.ts';
import { functionProvider } from './lambda/provider.ts';
import { lambdaService } from './lambda/service.ts';
import { cloudFormationService } from './services/cloudformation.ts';
import { cloudWatchLogsService } from './services/cloudwatch-logs.ts';
import { crossRegionProviders } from './services/cross-region.ts';
import { ecrService } from './services/ecr.ts';
import { ruleProvider } from './services/events/provider.ts';
import { rdsDataService } from './services/rds-data/service.ts';
import { bucketProvider } from './services/s3/provider.ts';
import { s3Service } from './services/s3/service.ts';
import { schedulerProviders } from './services/scheduler/provider.ts';
import { schedulerService } from './services/scheduler/service.ts';
import { secretsManagerService } from './services/secretsmanager.ts';
import { secretsManagerProviders } from './services/secretsmanager-providers.ts';
import { snsProviders } from './services/sns/providers.ts';
import { snsService } from './services/sns/service.ts';
import { ssmService } from './services/ssm.ts';
import { parameterProvider } from './services/ssm-provider.ts';
import { stsService } from './services/sts.ts';
import { stateMachineProvider } from './states/provider.ts';
import { statesService } from './states/service.ts';
import { passiveProviders } from './template/passive/index.ts';
import type { ResourceProvider } from './template/provider.ts';
import type { World } from './world.ts';

/** The resource types that are AWS's software, and those that do nothing here. Machines have a list of their own. */
export const cloudProviders: readonly ResourceProvider[] = [
  ...passiveProviders,
  ...iamProviders,
  functionProvider,
  stateMachineProvider,
  parameterProvider,
  ...crossRegionProviders,
  ...secretsManagerProviders,
  ...snsProviders,
  ruleProvider,
  bucketProvider,
  ...schedulerProviders,
];

export function cloudServices(world: World): readonly Service[] {
  return [
    lambdaService(world),
    statesService(world),
    ssmService(world),
    secretsManagerService(world),
    rdsDataService(world),
    ecrService(world),
    snsService(world),
    s3Service(world),
    stsService(world),
    cloudWatchLogsService(world),
    cloudFormationService(world),
    schedulerService(world),
  ];
}
