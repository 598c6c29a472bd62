import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { topicsOf } from './topics.ts';

/** A key may be given by its ARN, its id or its alias. */
function keyArn(world: World, key: string): string {
  if (key.startsWith('arn:')) return key;
  return arn(world, 'kms', key.startsWith('alias/') ? key : `key/${key}`);
}

const topic: ResourceProvider = {
  type: 'AWS::SNS::Topic',
  properties: ['DisplayName', 'KmsMasterKeyId', 'Tags', 'TopicName'],
  create(resource, world) {
    const { TopicName, DisplayName, KmsMasterKeyId } = resource.properties;
    const name: string = TopicName ?? physicalName(world, resource, 256);
    const topicArn = arn(world, 'sns', name);
    topicsOf(world).set(topicArn, {
      topicArn,
      name,
      ...(DisplayName === undefined ? {} : { displayName: DisplayName }),
      ...(KmsMasterKeyId === undefined ? {} : { keyArn: keyArn(world, KmsMasterKeyId) }),
    });
    return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: name } };
  },
};

/** E-mail and the like: there is nobody to send it to here. */
const subscription: ResourceProvider = {
  type: 'AWS::SNS::Subscription',
  properties: ['Endpoint', 'Protocol', 'TopicArn'],
  create(resource, world) {
    const ref = `${resource.properties.TopicArn}:${physicalName(world, resource)}`;
    return { ref, attributes: { Arn: ref } };
  },
};

export const snsProviders: readonly ResourceProvider[] = [topic, subscription];
