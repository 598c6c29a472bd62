import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

/** A function of the template. */
export interface LambdaFunction {
  readonly functionName: string;
  readonly functionArn: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly runtime: string;
  /** Folder of the unpacked code, in the cloud assembly. Absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  /** Megabytes. */
  readonly memorySize: number;
  /** How many invocations may run at once; absent: as many as come. */
  readonly reservedConcurrency?: number;
  /** Of CloudWatch Logs. */
  readonly logGroup: string;
}

/** By ARN. */
export const functionsOf = perWorld(() => new Map<string, LambdaFunction>());

/** @param nameOrArn an ARN may end in `:$LATEST` */
export function findFunction(world: World, nameOrArn: string): LambdaFunction | undefined {
  const wanted = nameOrArn.replace(/:\$LATEST$/, '');
  return [...functionsOf(world).values()].find(
    ({ functionArn, functionName }) => functionArn === wanted || functionName === wanted,
  );
}
