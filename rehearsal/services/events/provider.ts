import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { topicsOf } from '../sns/topics.ts';
import { type InputTransformer, requireKnownTransformer } from './input-transformer.ts';
import { requireKnownPattern } from './pattern.ts';
import { rulesOf } from './rules.ts';

/** Sources whose events happen in a rehearsal. A rule on another, for example on ECS, is made and never matches. */
const sources = ['aws.states'];

interface Target {
  readonly Arn: string;
  readonly Id: string;
  readonly InputTransformer?: InputTransformer;
  readonly [other: string]: unknown;
}

export const ruleProvider: ResourceProvider = {
  type: 'AWS::Events::Rule',
  properties: ['Description', 'EventPattern', 'Name', 'State', 'Tags', 'Targets'],
  create(resource, world) {
    const { EventPattern, Name, State = 'ENABLED', Targets = [] } = resource.properties;
    const name: string = Name ?? physicalName(world, resource);
    const ruleArn = arn(world, 'events', `rule/${name}`);
    const happens = [EventPattern?.source].flat().some((source) => sources.includes(source));
    if (happens && State === 'ENABLED') {
      requireKnownPattern(EventPattern);
      const targets = (Targets as Target[]).map(({ Arn, Id: _, InputTransformer, ...others }) => {
        if (!topicsOf(world).has(Arn)) throw new Error(`Targets: a rule sends to topics here, and ${Arn} is none.`);
        const unknown = Object.keys(others);
        if (unknown.length > 0) throw new Error(`Targets: the rehearsal does not know ${unknown.join(', ')}.`);
        if (InputTransformer) requireKnownTransformer(InputTransformer);
        return { topicArn: Arn, ...(InputTransformer && { transformer: InputTransformer }) };
      });
      rulesOf(world).set(ruleArn, { pattern: EventPattern, targets });
    }
    return { ref: name, attributes: { Arn: ruleArn } };
  },
};
