import { perWorld } from '../per-world.ts';
import type { CreatedResource, ResourceProvider } from './provider.ts';

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

export interface DeployedResource extends CreatedResource {
  readonly logicalId: string;
  readonly type: string;
}

export interface DeployedStack {
  readonly stackName: string;
  readonly deployedAt: Date;
  readonly resources: ReadonlyMap<string, DeployedResource>;
  readonly outputs: readonly StackOutput[];
}

export interface Deployment {
  /** By stack name, in the order of their deployment. */
  readonly stacks: Map<string, DeployedStack>;
  /** Values by the name that a stack exports them under. */
  readonly exports: Map<string, string>;
  /** By resource type. */
  readonly providers: Map<string, ResourceProvider>;
}

/** What of the templates is deployed in a world. */
export const deploymentOf = perWorld<Deployment>(() => ({
  stacks: new Map(),
  exports: new Map(),
  providers: new Map(),
}));
