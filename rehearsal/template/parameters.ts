import { readParameter } from '../services/parameter-store.ts';
import type { World } from '../world.ts';
import type { TemplateParameter } from './assembly.ts';

/** Version of the CDK bootstrap stack that templates ask for; the rehearsal has what a current one has. */
const bootstrapVersion = '30';

/**
 * The value of a template's parameter: its default, or what the SSM parameter that the default names has now.
 *
 * @throws Error for a parameter without a default, as nobody is there to give one
 */
export function parameterValue(world: World, name: string, parameter: TemplateParameter): unknown {
  const { Type: type, Default: value } = parameter;
  if (value === undefined) throw new Error(`parameter ${name} has no default.`);
  const ofList = type === 'CommaDelimitedList' || /^(AWS::SSM::Parameter::Value<)?List</.test(type);
  const split = (text: string) => (ofList ? text.split(',').map((item) => item.trim()) : text);
  if (!type.startsWith('AWS::SSM::Parameter::Value<')) return split(String(value));
  if (/^\/cdk-bootstrap\/[^/]+\/version$/.test(String(value))) return bootstrapVersion;
  // What AWS publishes for everybody: the newest image of instances, which no instance here is started from.
  if (/^\/aws\/service\/.*\/image_id$/.test(String(value))) return 'ami-rehearsal';
  const found = readParameter(world, String(value));
  if (!found) throw new Error(`parameter ${name}: there is no SSM parameter ${value}.`);
  return split(found.value);
}
