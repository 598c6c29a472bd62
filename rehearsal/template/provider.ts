import type { World } from '../world.ts';

/** A resource of a synthesised template with every intrinsic function resolved. */
export interface ResolvedResource {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a resource's properties is CloudFormation's, per type.
  readonly properties: Readonly<Record<string, any>>;
}

/** What `Ref` and `Fn::GetAtt` answer for a resource that was made. */
export interface CreatedResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** How one CloudFormation resource type is stood in for. */
export interface ResourceProvider {
  readonly type: string;
  /**
   * Properties that the provider understands or knowingly sets aside. A template that has any other is refused loudly:
   * a rehearsal that overlooks a property proves nothing about it.
   */
  readonly properties: readonly string[];
  create(resource: ResolvedResource, world: World): Promise<CreatedResource> | CreatedResource;
}
