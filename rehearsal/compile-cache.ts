import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps compiled code between its processes. A rehearsal starts dozens of them, and compiling the same few
 * files again is most of what each start costs: the AWS SDK in each function, the stand-in in each node.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/moodle-lifecycle/compile', import.meta.url)),
};
