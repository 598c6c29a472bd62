import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';

export interface Topic {
  readonly topicArn: string;
  readonly name: string;
  readonly displayName?: string;
  /** The key that its messages are encrypted with. */
  readonly keyArn?: string;
}

export interface PublishedMessage {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  /** ISO 8601. */
  readonly published: string;
}

/** By ARN. */
export const topicsOf = perWorld(() => new Map<string, Topic>());

/** By message id. Nobody is sent anything: the messages are kept, shown, and written to `logs/notifications.log`. */
export function messagesOf(world: Pick<World, 'state'>) {
  return world.state.collection<PublishedMessage>('sns-messages');
}

export function keepMessage(world: World, message: PublishedMessage): void {
  messagesOf(world).set(message.messageId, message);
  const directory = join(world.directory, 'logs');
  mkdirSync(directory, { recursive: true });
  appendFileSync(
    join(directory, 'notifications.log'),
    `${message.published} ${message.topicArn}\n${message.subject ?? '(no subject)'}\n${message.message}\n\n`,
  );
}
