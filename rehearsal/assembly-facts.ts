import { readAssembly, type TemplateResource } from './template/assembly.ts';

interface BuildEnvironment {
  readonly EnvironmentVariables?: readonly { readonly Name: string; readonly Value: string }[];
}

/**
 * The Moodle version that the image is built with when nothing else is said, as the template tells it to CodeBuild.
 *
 * @throws Error when no template tells it
 */
export function pinnedMoodleVersion(cloudAssembly: string): string {
  for (const { Properties } of resourcesOf(cloudAssembly, 'AWS::CodeBuild::Project')) {
    const environment = Properties?.Environment as BuildEnvironment | undefined;
    const version = environment?.EnvironmentVariables?.find(({ Name }) => Name === 'MOODLE_VERSION')?.Value;
    if (version !== undefined) return version;
  }
  throw new Error('No build project in the templates has the variable MOODLE_VERSION.');
}

/** Whether the site's database is one in whose place the MariaDB of this computer stands. */
export function needsMariaDb(cloudAssembly: string): boolean {
  return resourcesOf(cloudAssembly, 'AWS::RDS::DBCluster', 'AWS::RDS::DBInstance').some(({ Properties }) =>
    /^(aurora-mysql|mysql|mariadb)$/.test(String(Properties?.Engine)),
  );
}

function resourcesOf(cloudAssembly: string, ...types: readonly string[]): TemplateResource[] {
  return readAssembly(cloudAssembly)
    .stacks.flatMap(({ template }) => Object.values(template.Resources))
    .filter(({ Type }) => types.includes(Type));
}
