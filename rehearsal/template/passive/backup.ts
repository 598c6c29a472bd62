import { arn } from '../../world.ts';
import type { PassiveType } from './passive-type.ts';
import { ec2Id } from './passive-type.ts';

/** Plans that nobody runs here: a rehearsal is over before its first night. */
export const backupTypes: readonly PassiveType[] = [
  {
    type: 'AWS::Backup::BackupPlan',
    properties: ['BackupPlan', 'BackupPlanTags'],
    ref: ec2Id('plan'),
    attributes: (_, world, ref) => ({
      BackupPlanId: ref,
      BackupPlanArn: arn(world, 'backup', `backup-plan:${ref}`),
      VersionId: '1',
    }),
  },
  {
    type: 'AWS::Backup::BackupSelection',
    properties: ['BackupPlanId', 'BackupSelection'],
    ref: ec2Id('selection'),
    attributes: ({ properties }, _world, ref) => ({ BackupPlanId: properties.BackupPlanId, Id: ref, SelectionId: ref }),
  },
];
