import type { Config } from '../config.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { stickySeconds } from './load-balancer.ts';
import { containerName } from './node-task.ts';
import { settingPrefix } from './settings.ts';
import { databaseName } from './site-database.ts';

/** In the place of a checksum: the one that Moodle publishes beside its archive. A variable of Lambda is not empty. */
const publishedChecksum = 'published';

/** Every variable that a phase function may be given; each gets only those that it reads. */
export function phaseEnvironment(platform: PlatformStack, config: Config) {
  const { database, sessionStore, applicationStore, imageBuild, nodes, backups } = platform;
  return {
    SITE: config.site,
    SITE_URL: platform.siteUrl,
    CLUSTER_ARN: nodes.cluster.clusterArn,
    WEB_SERVICE_NAME: platform.web.service.serviceName,
    CRON_SERVICE_NAME: platform.cron.service.serviceName,
    TASK_DEFINITION_FAMILY: platform.webTask.definition.family,
    CRON_TASK_DEFINITION_FAMILY: platform.cronTask.definition.family,
    CONTAINER_NAME: containerName,
    TASK_CAPACITY_PROVIDER: nodes.capacity.steady,
    TASK_SUBNETS: nodes.network.nodeSubnets.subnetIds.join(','),
    TASK_SECURITY_GROUPS: nodes.securityGroup.securityGroupId,
    STICKY_SECONDS: String(config.stickiness ? stickySeconds : 0),
    TARGET_GROUP_ARN: platform.loadBalancer.targetGroup.targetGroupArn,
    PARAMETER_PREFIX: settingPrefix(config.site),
    REPOSITORY_NAME: imageBuild.repository.repositoryName,
    REPOSITORY_URI: imageBuild.repository.repositoryUri,
    IMAGE_TAG: imageBuild.contentTag,
    BUILD_PROJECT_NAME: imageBuild.project.projectName,
    MANIFEST_BUCKET: imageBuild.manifests.bucketName,
    MOODLE_VERSION: config.moodleVersion,
    MOODLE_CHECKSUM: config.moodleChecksum ?? publishedChecksum,
    PLUGIN_DIRECTORY_URL: config.pluginDirectoryUrl,
    DATABASE_IDENTIFIER: database.identifier,
    FILE_SYSTEM_ARN: platform.files.fileSystem.fileSystemArn,
    BACKUP_VAULT_NAME: backups.vault.backupVaultName,
    BACKUP_ROLE_ARN: backups.role.roleArn,
    NOTIFICATION_TOPIC_ARN: platform.notifications.topic.topicArn,
    DATABASE_ENGINE: database.engine,
    DATABASE_ACCESS: config.databaseAccess,
    DATABASE_CLUSTER_ARN: database.arn,
    DATABASE_SECRET_ARN: database.secret.secretArn,
    DATABASE_NAME: databaseName,
    DATABASE_HOST: database.host,
    DATABASE_PORT: database.port,
    DATABASE_PREFIX: config.tablePrefix,
    ADMIN_USER: config.adminUser,
    ADMIN_SECRET_ARN: platform.siteSecrets.administrator.secretArn,
    SESSION_STORE_TYPE: sessionStore.type,
    SESSION_STORE_KIND: sessionStore.kind,
    SESSION_STORE_ID: sessionStore.id,
    SESSION_STORE_ENDPOINT: sessionStore.endpoint,
    APPLICATION_STORE_TYPE: applicationStore.type,
    APPLICATION_STORE_KIND: applicationStore.kind,
    APPLICATION_STORE_ID: applicationStore.id,
    APPLICATION_STORE_ENDPOINT: applicationStore.endpoint,
    /** Memcached has none. */
    APPLICATION_STORE_SECRET_ARN: applicationStore.secret?.secretArn,
    DEFAULT_NODES: String(config.defaultNodes),
    MAXIMUM_NODES: String(config.maximumNodes),
    NORMAL_HEALTH_GRACE_SECONDS: String(config.healthGraceSeconds),
    INSTALL_HEALTH_GRACE_SECONDS: String(config.installHealthGraceSeconds),
  } as const;
}

export type PhaseVariable = keyof ReturnType<typeof phaseEnvironment>;

/** What the driver of the site's database reads. */
export function databaseVariables({ databaseAccess }: Config): readonly PhaseVariable[] {
  const both = ['DATABASE_ENGINE', 'DATABASE_ACCESS', 'DATABASE_SECRET_ARN', 'DATABASE_NAME'] as const;
  return databaseAccess === 'data-api'
    ? [...both, 'DATABASE_CLUSTER_ARN']
    : [...both, 'DATABASE_HOST', 'DATABASE_PORT'];
}
