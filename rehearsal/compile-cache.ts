import { cacheFolder } from '../infra/kept-folder.ts';

/**
 * Where Node keeps compiled code between its processes. A rehearsal starts dozens of them, and compiling the same few
 * files again is most of what each start costs: the AWS SDK in each function, the stand-in in each node, the CDK in the app.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: cacheFolder('compile'),
};
