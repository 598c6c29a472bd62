import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileCache } from './compile-cache.ts';

const application = fileURLToPath(new URL('../infra/app.ts', import.meta.url));

/**
 * Synthesises the CDK app in a process of its own, as `cdk deploy` would before it uploads anything.
 *
 * @param context CDK context, as `-c name=value` gives it: every value a string
 * @returns the directory of the cloud assembly
 * @throws Error with the app's own words when it refuses the context
 */
export async function synthesise(directory: string, context: Readonly<Record<string, string>>): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [application], {
      env: {
        ...process.env,
        ...compileCache,
        CDK_OUTDIR: directory,
        CDK_CONTEXT_JSON: JSON.stringify(context),
        CDK_VALIDATION: 'false',
      },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const words = (error as { stderr?: string }).stderr ?? String(error);
    throw new Error(`The CDK app in infra/ could not be synthesised; nothing was started.\n${words.trim()}`);
  }
  return directory;
}
