import { App, type AppProps, DefaultStackSynthesizer, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { acknowledge } from './acknowledge.ts';
import { type Config, readConfig } from './config.ts';
import { LogKeeping } from './constructs/watching/log-keeping.ts';
import type { FunctionBundles } from './function-bundles.ts';
import { EdgeStack } from './stacks/edge-stack.ts';
import { EdgeWatchingStack } from './stacks/edge-watching-stack.ts';
import { LifecycleStack } from './stacks/lifecycle-stack.ts';
import { PlatformStack } from './stacks/platform-stack.ts';
import { SettingsStack } from './stacks/settings-stack.ts';
import { WatchingStack } from './stacks/watching-stack.ts';

/**
 * CDK's later defaults that this app wants, set here and not in cdk.json, so that the templates are the same with the
 * CLI and without.
 */
const featureFlags = {
  '@aws-cdk/aws-iam:minimizePolicies': true,
  // What an aspect adds is visited by the others.
  '@aws-cdk/core:aspectStabilization': true,
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/core:checkSecretUsage': true,
  // What CDK's copy of the CloudFormation schemas objects to is an error.
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  // The platform cannot take away what the lifecycle still refers to.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker': true,
  '@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm': true,
  '@aws-cdk/aws-efs:mountTargetOrderInsensitiveLogicalId': true,
  '@aws-cdk/aws-rds:preventRenderingDeprecatedCredentials': true,
  '@aws-cdk/aws-secretsmanager:useAttachedSecretResourcePolicyForSecretTargetAttachments': true,
} as const;

/** The app, and its stacks in the order of their deployment. */
export class MoodleApp extends App {
  readonly config: Config;
  readonly settings: SettingsStack;
  /** Only where CloudFront needs something of us-east-1. */
  readonly edge: EdgeStack | undefined;
  readonly platform: PlatformStack;
  /** Only with CloudFront, of a site in another region than CloudFront's metrics. */
  readonly edgeWatching: EdgeWatchingStack | undefined;
  readonly lifecycle: LifecycleStack;
  readonly watching: WatchingStack;

  /**
   * @param bundles asked only once the options have passed, since bundling takes longest
   * @throws ConfigError when the context cannot be obeyed
   */
  constructor(
    props: Pick<AppProps, 'context' | 'outdir' | 'builtinCloudFormationValidation' | 'treeMetadata'>,
    bundles: () => FunctionBundles,
  ) {
    super({
      ...props,
      postCliContext: featureFlags,
      analyticsReporting: false,
      // A refused app leaves no half assembly behind.
      autoSynth: false,
      // The CLI checks the bootstrap version by itself; the rule would put one more parameter in each template.
      defaultStackSynthesizer: new DefaultStackSynthesizer({
        generateBootstrapVersionRule: false,
      }) as IReusableStackSynthesizer,
    });
    acknowledgeDecisions(this);
    this.config = readConfig(this.node.getAllContext());
    const { config } = this;
    this.settings = new SettingsStack(this, config);
    this.edge = EdgeStack.isNeeded(config) ? new EdgeStack(this, config) : undefined;
    const bundled = bundles();
    this.platform = new PlatformStack(this, config, this.edge, bundled);
    this.platform.addStackDependency(this.settings);
    const { distribution } = this.platform;
    this.edgeWatching =
      distribution && EdgeWatchingStack.isNeeded(config)
        ? new EdgeWatchingStack(this, config, distribution)
        : undefined;
    this.lifecycle = new LifecycleStack(this, config, this.platform, bundled);
    this.watching = new WatchingStack(this, config, this.platform, this.lifecycle, bundled);
    keepLogs(this, config);
  }
}

function keepLogs(app: MoodleApp, { logRetentionDays, encryptLogs }: Config): void {
  const { key } = app.platform.watchingKey;
  LogKeeping.apply(app, { retentionDays: logRetentionDays, key: encryptLogs ? key : undefined });
  if (!encryptLogs) {
    acknowledge(
      app,
      'NIST.800.53.R5-CloudWatchLogGroupEncrypted',
      'The option encryptLogs says so: CloudWatch Logs encrypts them with a key of its own.',
    );
  }
}

/** Findings about every resource of a kind, which are decisions of the whole app. */
function acknowledgeDecisions(app: App): void {
  acknowledge(
    app,
    'NIST.800.53.R5-IAMNoInlinePolicy',
    "A role's permissions are its own and go with it; as a managed policy they could be attached to another.",
  );
  acknowledge(
    app,
    'NIST.800.53.R5-SecretsManagerUsingKMSKey',
    "Encrypted with the account's key for Secrets Manager; who may read a secret is granted per secret.",
  );
}
