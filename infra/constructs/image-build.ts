import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { contentTag } from '../content-tag.ts';
import { logGroup } from './logs.ts';

/** Where images are kept, and what makes one from `image/`: AWS builds it, so that a deploy needs no Docker. */
export class ImageBuild extends Construct {
  readonly repository: ecr.Repository;
  readonly project: codebuild.Project;
  /** Holds `manifests/<tag>.json`, what the image of that tag is made of; written before the image is built. */
  readonly manifests: s3.Bucket;
  /** What builds wrote. */
  readonly logs: logs.ILogGroup;
  /** Names the image that the sources and build arguments of this deploy make: the same for the same content. */
  readonly contentTag: string;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.repository = new ecr.Repository(this, 'Repository', {
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      emptyOnDelete: !config.keepData,
      // Enough to go back several rollouts; an image that a task definition still names is among the newest.
      lifecycleRules: [{ description: 'Keep the last 20 images', maxImageCount: 20 }],
    });
    this.manifests = new s3.Bucket(this, 'Manifests', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      versioned: true,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(90), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      autoDeleteObjects: !config.keepData,
    });
    const madeAgain =
      'It holds lists of plugins without secrets, written once per image and made again from any rollout.';
    for (const rule of [
      'AwsSolutions-S1',
      'NIST.800.53.R5-S3BucketLoggingEnabled',
      'NIST.800.53.R5-S3BucketReplicationEnabled',
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
    ]) {
      acknowledge(this.manifests, rule, madeAgain);
    }
    const source = new assets.Asset(this, 'Source', { path: fileURLToPath(new URL('../../image', import.meta.url)) });
    this.contentTag = contentTag(config, source.assetHash);
    this.logs = logGroup(this, 'Logs', config.logRetentionDays);
    this.project = new codebuild.Project(this, 'Project', {
      description: `Builds the Moodle image of ${config.site}`,
      source: codebuild.Source.s3({ bucket: source.bucket, path: source.s3ObjectKey }),
      environment: {
        buildImage: buildImage(config),
        computeType: codebuild.ComputeType.SMALL,
        // The Docker daemon of the build needs it.
        privileged: true,
      },
      environmentVariables: {
        REPOSITORY_URI: { value: this.repository.repositoryUri },
        REGISTRY: { value: registryOf(this.repository) },
        MANIFEST_BUCKET: { value: this.manifests.bucketName },
        MOODLE_VERSION: { value: config.moodleVersion },
        PHP_VERSION: { value: config.phpVersion },
      },
      buildSpec: codebuild.BuildSpec.fromObject(buildSpec),
      timeout: Duration.minutes(30),
      grantReportGroupPermissions: false,
      logging: { cloudWatch: { logGroup: this.logs } },
    });
    this.repository.grantPullPush(this.project);
    this.manifests.grantRead(this.project, 'manifests/*');
    acknowledge(this, 'AwsSolutions-CB4', 'A build leaves nothing in CodeBuild: images are in ECR, encrypted there.');
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^(Action::s3:(GetBucket|GetObject|List)\*|Resource::(\*|arn:aws:s3:.*|.*\/\*|arn:aws:logs:.*:log-group:\/aws\/codebuild\/.*))$/,
      'What CDK grants for reading sources and manifests and writing the log of the build; the login to ECR has no resource.',
    );
  }
}

/**
 * IMAGE_TAG is given with each build. The manifest of that tag names plugins and Moodle; without it nothing is built: an
 * image that lacks a plugin by mistake would be taken for one from which it was removed.
 */
const buildSpec = {
  version: '0.2',
  env: { shell: 'bash', 'exported-variables': ['IMAGE_TAG', 'IMAGE_DIGEST'] },
  phases: {
    pre_build: {
      commands: [
        'test -n "$IMAGE_TAG"',
        'aws s3 cp "s3://$MANIFEST_BUCKET/manifests/$IMAGE_TAG.json" manifest.json',
        'MOODLE_VERSION=$(jq --exit-status --raw-output .moodle.version manifest.json)',
        `MOODLE_CHECKSUM=$(jq --raw-output '.moodle.sha256 // ""' manifest.json)`,
        'set -o pipefail; aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
      ],
    },
    build: {
      commands: [
        // What is wrong with Moodle or a plugin comes last, each line as check-moodle or check-plugins wrote it: that is
        // what a rollout reports. CodeBuild runs each command by itself: an option of the shell counts in its own alone.
        'set -o pipefail; docker build --file Containerfile --build-arg MANIFEST=manifest.json --build-arg PHP_VERSION="$PHP_VERSION" ' +
          '--build-arg MOODLE_VERSION="$MOODLE_VERSION" --build-arg MOODLE_CHECKSUM="$MOODLE_CHECKSUM" ' +
          '--tag "$REPOSITORY_URI:$IMAGE_TAG" . 2>&1 | tee build.log || ' +
          '{ grep --only-matching --extended-regexp "(Moodle|plugin) problem: .*" build.log | sort --unique; exit 1; }',
        'docker push "$REPOSITORY_URI:$IMAGE_TAG"',
        'IMAGE_DIGEST=$(docker image inspect --format "{{index .RepoDigests 0}}" "$REPOSITORY_URI:$IMAGE_TAG")',
      ],
    },
  },
};

function buildImage({ architecture }: Config): codebuild.IBuildImage {
  return architecture === 'arm64'
    ? codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0
    : codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5;
}

function registryOf(repository: ecr.Repository): string {
  const { account, region, urlSuffix } = Stack.of(repository);
  return `${account}.dkr.ecr.${region}.${urlSuffix}`;
}
