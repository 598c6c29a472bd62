import type { World } from '../../world.ts';
import { physicalName, stableLetters } from '../physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../provider.ts';

/** A resource type that exists in the make-believe account and does nothing there. */
export interface PassiveType {
  readonly type: string;
  /** Knowingly set aside: nothing here has the networks, retentions or alarms that they describe. */
  readonly properties: readonly string[];
  /** What `Ref` answers. Default: the physical name. */
  ref?(resource: ResolvedResource, world: World): string;
  /** What `Fn::GetAtt` answers. */
  attributes?(resource: ResolvedResource, world: World, ref: string): Record<string, string>;
}

/** An id such as EC2 gives, for example `vpc-0a1b…`; the same each time in one folder. */
export function ec2Id(prefix: string) {
  return (resource: ResolvedResource, world: World): string =>
    `${prefix}-0${hexadecimal(stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 12))}`;
}

function hexadecimal(text: string): string {
  return Buffer.from(text).toString('hex').slice(0, 16);
}

export function passiveProvider(passive: PassiveType): ResourceProvider {
  return {
    type: passive.type,
    properties: passive.properties,
    create(resource, world) {
      const ref = passive.ref?.(resource, world) ?? physicalName(world, resource);
      return { ref, attributes: passive.attributes?.(resource, world, ref) ?? {} };
    },
  };
}
