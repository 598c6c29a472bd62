import { randomUUID } from 'node:crypto';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { keepMessage } from '../sns/topics.ts';
import { type InputTransformer, transform } from './input-transformer.ts';
import { type EventPattern, type EventValue, matches } from './pattern.ts';

export interface Rule {
  readonly pattern: EventPattern;
  readonly targets: readonly { readonly topicArn: string; readonly transformer?: InputTransformer }[];
}

/** By ARN: the rules on events that happen here. */
export const rulesOf = perWorld(() => new Map<string, Rule>());

/** Puts an event of an AWS service onto the default bus: each rule that matches sends it to its topics, at once. */
export function putEvent(
  world: World,
  source: string,
  detailType: string,
  resources: readonly string[],
  detail: EventValue,
): void {
  const event: EventValue = {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: world.account,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    region: world.region,
    resources,
    detail,
  };
  const targets = [...rulesOf(world).values()]
    .filter(({ pattern }) => matches(pattern, event))
    .flatMap((rule) => rule.targets);
  for (const { topicArn, transformer } of targets) {
    keepMessage(world, {
      messageId: randomUUID(),
      topicArn,
      message: transformer ? transform(transformer, event) : JSON.stringify(event),
      published: new Date().toISOString(),
    });
  }
}
