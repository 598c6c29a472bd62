import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as ecr from 'aws-cdk-lib/aws-ecr';
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
    const source = new assets.Asset(this, 'Source', { path: fileURLToPath(new URL('../../image', import.meta.url)) });
    this.contentTag = contentTag(config, source.assetHash);
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
        MOODLE_VERSION: { value: config.moodleVersion },
        MOODLE_CHECKSUM: { value: config.moodleChecksum ?? '' },
      },
      buildSpec: codebuild.BuildSpec.fromObject(buildSpec),
      timeout: Duration.minutes(30),
      grantReportGroupPermissions: false,
      logging: { cloudWatch: { logGroup: logGroup(this, 'Logs', config.logRetentionDays) } },
    });
    this.repository.grantPullPush(this.project);
    acknowledge(this, 'AwsSolutions-CB4', 'A build leaves nothing in CodeBuild: images are in ECR, encrypted there.');
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^(Action::s3:(GetBucket|GetObject|List)\*|Resource::(\*|arn:aws:s3:.*|.*\/\*|arn:aws:logs:.*:log-group:\/aws\/codebuild\/.*))$/,
      'What CDK grants for reading the sources and writing the log of the build; the login to ECR has no resource.',
    );
  }
}

/** IMAGE_TAG is given with each build. */
const buildSpec = {
  version: '0.2',
  env: { 'exported-variables': ['IMAGE_TAG', 'IMAGE_DIGEST'] },
  phases: {
    pre_build: {
      commands: [
        'test -n "$IMAGE_TAG"',
        'aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
      ],
    },
    build: {
      commands: [
        'docker build --file Containerfile --build-arg MOODLE_VERSION="$MOODLE_VERSION" ' +
          '--build-arg MOODLE_CHECKSUM="$MOODLE_CHECKSUM" --tag "$REPOSITORY_URI:$IMAGE_TAG" .',
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
