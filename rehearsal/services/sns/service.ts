import { randomUUID } from 'node:crypto';
import { AwsError, type Operation, type Service } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { keepMessage, topicsOf } from './topics.ts';

/** Largest message, in bytes. */
const LARGEST_MESSAGE = 262_144;
const LONGEST_SUBJECT = 100;

/** SNS: messages are kept and shown, and sent to nobody. */
export function snsService(world: World): Service {
  return {
    signingName: 'sns',
    protocol: 'query',
    xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    operations: {
      Publish: publish(world),
      ListTopics: {
        members: ['NextToken'],
        permissions: () => [{ action: 'sns:ListTopics', resource: '*' }],
        run: () => ({ Topics: [...topicsOf(world).values()].map(({ topicArn }) => ({ TopicArn: topicArn })) }),
      },
    },
  };
}

const publish = (world: World): Operation<{ TopicArn: string; Message: string; Subject?: string }> => ({
  members: ['TopicArn', 'Message', 'Subject'],
  required: ['TopicArn', 'Message'],
  permissions({ TopicArn }) {
    const keyArn = topicsOf(world).get(TopicArn)?.keyArn;
    // Whoever publishes to an encrypted topic has to be let to its key (SNS's guide, "Key management").
    const useKey = keyArn === undefined ? [] : ['kms:Decrypt', 'kms:GenerateDataKey'];
    return [
      { action: 'sns:Publish', resource: TopicArn },
      ...useKey.map((action) => ({ action, resource: keyArn ?? '' })),
    ];
  },
  run({ TopicArn, Message, Subject }) {
    if (!topicsOf(world).has(TopicArn)) throw new AwsError('NotFound', 'Topic does not exist', 404);
    if (!Message) throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(Message) > LARGEST_MESSAGE) {
      throw new AwsError('InvalidParameter', 'Invalid parameter: Message too long');
    }
    // From the API reference of Publish: ASCII text that begins with a letter, number or punctuation, no line breaks.
    if (Subject !== undefined && (Subject.length > LONGEST_SUBJECT || !/^[!-~][ -~]*$/.test(Subject))) {
      throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
    }
    const messageId = randomUUID();
    keepMessage(world, {
      messageId,
      topicArn: TopicArn,
      message: Message,
      published: new Date().toISOString(),
      ...(Subject === undefined ? {} : { subject: Subject }),
    });
    return { MessageId: messageId };
  },
});
