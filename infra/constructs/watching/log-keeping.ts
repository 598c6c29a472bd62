import { type App, Aspects, CfnResource, type IAspect, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';

export interface LogKeepingProps {
  readonly retentionDays: number;
  /** Absent: CloudWatch Logs encrypts with a key of its own. */
  readonly key: kms.IKey | undefined;
}

/**
 * Lets every log of the app expire and gives it the site's key, also the logs of functions that CDK brings along for its
 * custom resources: those would be written for ever, to groups that Lambda makes and no stack takes away.
 */
export class LogKeeping implements IAspect {
  /** To everything in the app. */
  static apply(app: App, props: LogKeepingProps): void {
    const keeping = new LogKeeping(props);
    Aspects.of(app).add(keeping);
    // What carries values between regions CDK makes after all aspects, and before it validates.
    app.node.addValidation({
      validate: () => {
        for (const node of app.node.findAll()) keeping.visit(node);
        return [];
      },
    });
  }

  readonly #retentionDays: number;
  readonly #key: kms.IKey | undefined;

  private constructor({ retentionDays, key }: LogKeepingProps) {
    this.#retentionDays = retentionDays;
    this.#key = key;
  }

  visit(node: IConstruct): void {
    if (node instanceof logs.CfnLogGroup) this.#keep(node);
    if (node instanceof CfnResource && isFunctionOfCdk(node)) {
      const group = new logs.CfnLogGroup(node, 'Logs');
      group.applyRemovalPolicy(RemovalPolicy.DESTROY);
      this.#keep(group);
      node.addPropertyOverride('LoggingConfig.LogGroup', group.ref);
    }
  }

  #keep(group: logs.CfnLogGroup): void {
    group.retentionInDays ??= this.#retentionDays;
    if (this.#key === undefined) return;
    if (Stack.of(group).region === Stack.of(this.#key).region) group.kmsKeyId ??= this.#key.keyArn;
    else {
      acknowledge(
        group,
        'NIST.800.53.R5-CloudWatchLogGroupEncrypted',
        "A key serves its own region alone. What is written here, beside CloudFront, holds nobody's session.",
      );
    }
  }
}

/** CDK makes these without a class of their own, so that the app's own functions are no instances of exactly this. */
function isFunctionOfCdk(node: CfnResource): boolean {
  return (
    node.constructor === CfnResource &&
    node.cfnResourceType === 'AWS::Lambda::Function' &&
    !node.node.tryFindChild('Logs')
  );
}
