import type { CloudAssembly, Template, TemplateResource } from '../template/assembly.ts';
import type { MoodleSource } from './source.ts';
import { numberOf } from './version-file.ts';

/** In the place of a checksum: of this tree nobody has published one. As infra/constructs/phase-environment.ts names it. */
const publishedChecksum = 'published';

/**
 * The assembly as it is when the nodes' Moodle is what was deployed: build, functions and image tags name the release that
 * its tree says, whatever the templates were synthesised for. So plans, updates within a branch and messages are about the
 * Moodle that runs. The stand-in has no tree, and stands for what the templates name.
 */
export function atReleaseOf(assembly: CloudAssembly, moodle: MoodleSource): CloudAssembly {
  if (moodle.kind !== 'real') return assembly;
  const release = numberOf(moodle.release);
  return {
    ...assembly,
    stacks: assembly.stacks.map((stack) => ({ ...stack, template: inTemplate(stack.template, release) })),
  };
}

/**
 * For somebody who named a release and gave the tree of another; undefined where they are one.
 *
 * @param named by the templates
 */
export function otherReleaseInWords(moodle: MoodleSource, named: string): string | undefined {
  if (moodle.kind !== 'real' || numberOf(moodle.release) === named) return undefined;
  const runs = numberOf(moodle.release);
  return (
    `The templates name Moodle ${named}; the code in ${moodle.directory} is Moodle ${runs}. That is what is rehearsed: images, ` +
    `plans and messages name ${runs}, and updates stay within its branch.`
  );
}

function inTemplate(template: Template, release: string): Template {
  const resources = Object.entries(template.Resources).map(([id, resource]) => [id, inResource(resource, release)]);
  return { ...template, Resources: Object.fromEntries(resources) };
}

interface Environment {
  readonly Variables?: Readonly<Record<string, unknown>>;
  readonly EnvironmentVariables?: readonly { readonly Name: string; readonly Value: unknown }[];
}

function inResource(resource: TemplateResource, release: string): TemplateResource {
  const environment = resource.Properties?.Environment as Environment | undefined;
  const { Variables, EnvironmentVariables } = environment ?? {};
  const changed = (Environment: Environment) => ({ ...resource, Properties: { ...resource.Properties, Environment } });
  if (resource.Type === 'AWS::Lambda::Function' && Variables) {
    return changed({ ...environment, Variables: inVariables(Variables, release) });
  }
  if (resource.Type !== 'AWS::CodeBuild::Project' || !EnvironmentVariables) return resource;
  const named = EnvironmentVariables.map((one) => (one.Name === 'MOODLE_VERSION' ? { ...one, Value: release } : one));
  return changed({ ...environment, EnvironmentVariables: named });
}

function inVariables(variables: Readonly<Record<string, unknown>>, release: string): Record<string, unknown> {
  const { MOODLE_VERSION: deployed, MOODLE_CHECKSUM: checksum, IMAGE_TAG: tag } = variables;
  return {
    ...variables,
    // It begins with the release that it was made for.
    ...(typeof tag === 'string' ? { IMAGE_TAG: tag.replace(/^\d+(\.\d+)+(?=-)/, release) } : {}),
    ...(deployed === undefined ? {} : { MOODLE_VERSION: release }),
    ...(checksum === undefined || deployed === release ? {} : { MOODLE_CHECKSUM: publishedChecksum }),
  };
}
