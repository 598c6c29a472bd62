import { CfnParameter, Token } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

/**
 * The settings that rollouts change, with what they are before the first rollout. The values are constant, so that no
 * later deploy finds a difference to write back.
 */
const initialValues = {
  'session-store': 'database',
  'image-tag': 'none',
  'desired-nodes': '0',
  'minimum-nodes': '0',
  'maximum-nodes': '1',
  'scheduled-nodes': '0',
  'cron-nodes': '0',
} as const;

export type Setting = keyof typeof initialValues;

export function settingPrefix(site: string): string {
  return `/moodle/${site}`;
}

export class Settings extends Construct {
  constructor(scope: Construct, id: string, { site }: { readonly site: string }) {
    super(scope, id);
    for (const [setting, stringValue] of Object.entries(initialValues)) {
      new ssm.StringParameter(this, setting, {
        parameterName: `${settingPrefix(site)}/${setting}`,
        stringValue,
        description: `Set by rollouts of ${site}`,
      });
    }
  }
}

/**
 * The settings as a template reads them: parameters that CloudFormation looks up anew at every deploy. Not
 * `{{resolve:ssm:…}}`, because CloudFormation does not see that such a value changed and would send a service the task
 * definition of the first deploy again (aws-cloudformation/cloudformation-coverage-roadmap#844).
 */
export class CurrentSettings extends Construct {
  readonly #parameters: ReadonlyMap<Setting, CfnParameter>;

  constructor(
    scope: Construct,
    id: string,
    { site, read }: { readonly site: string; readonly read: readonly Setting[] },
  ) {
    super(scope, id);
    this.#parameters = new Map(
      read.map((setting) => [
        setting,
        new CfnParameter(this, setting, {
          type: 'AWS::SSM::Parameter::Value<String>',
          default: `${settingPrefix(site)}/${setting}`,
          description: 'Set by rollouts; do not override.',
        }),
      ]),
    );
  }

  text(setting: Setting): string {
    return this.#parameter(setting).valueAsString;
  }

  /** A token: CloudFormation turns the text into the number. */
  number(setting: Setting): number {
    return Token.asNumber(this.#parameter(setting).value);
  }

  #parameter(setting: Setting): CfnParameter {
    const parameter = this.#parameters.get(setting);
    if (parameter === undefined) throw new Error(`The stack does not read the setting ${setting}.`);
    return parameter;
  }
}
