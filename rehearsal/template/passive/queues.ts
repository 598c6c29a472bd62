import { arn } from '../../world.ts';
import { physicalName } from '../physical-name.ts';
import type { PassiveType } from './passive-type.ts';

/** Queues that nobody reads; what a schedule could not start is kept beside them. */
export const queueTypes: readonly PassiveType[] = [
  {
    type: 'AWS::SQS::Queue',
    properties: ['KmsMasterKeyId', 'MessageRetentionPeriod', 'QueueName', 'SqsManagedSseEnabled', 'Tags'],
    ref: (resource, world) => {
      const name = resource.properties.QueueName ?? physicalName(world, resource, 80);
      return `https://sqs.${world.region}.amazonaws.com/${world.account}/${name}`;
    },
    attributes: (_, world, ref) => {
      const name = ref.split('/').at(-1) ?? '';
      return { Arn: arn(world, 'sqs', name), QueueName: name, QueueUrl: ref };
    },
  },
  { type: 'AWS::SQS::QueuePolicy', properties: ['PolicyDocument', 'Queues'] },
];
