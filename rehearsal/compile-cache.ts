import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../infra/cache-folder.ts';
import { removeOldOnes } from '../infra/kept-folder.ts';

/**
 * Where Node keeps compiled code between its processes. A rehearsal starts dozens of them, and compiling the same few
 * files again is most of what each start costs: the AWS SDK in each function, the stand-in in each node, the CDK in the app.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: cacheFolder('compile'),
};

/** Node itself removes nothing from there, and the same code has a file for each folder that it ever lay in. */
export function removeOldCompiledCode(): void {
  const folder = compileCache.NODE_COMPILE_CACHE;
  // One folder for each version of Node.
  for (const version of existsSync(folder) ? readdirSync(folder) : []) removeOldOnes(join(folder, version));
}
