import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readAssembly } from './template/assembly.ts';

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

interface BuildEnvironment {
  readonly EnvironmentVariables?: readonly { readonly Name: string; readonly Value: string }[];
}

/**
 * The Moodle version that the image is built with when nothing else is said, as the template tells it to CodeBuild.
 *
 * @throws Error when no template tells it
 */
export function pinnedMoodleVersion(cloudAssembly: string): string {
  for (const { template } of readAssembly(cloudAssembly).stacks) {
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type !== 'AWS::CodeBuild::Project') continue;
      const environment = Properties?.Environment as BuildEnvironment | undefined;
      const version = environment?.EnvironmentVariables?.find(({ Name }) => Name === 'MOODLE_VERSION')?.Value;
      if (version !== undefined) return version;
    }
  }
  throw new Error('No build project in the templates has the variable MOODLE_VERSION.');
}
