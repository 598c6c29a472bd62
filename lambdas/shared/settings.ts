import { SettingMissing } from './errors.ts';

const databaseEngines = ['aurora-postgresql', 'aurora-mysql', 'postgresql', 'mysql', 'mariadb'] as const;

export type DatabaseEngine = (typeof databaseEngines)[number];

const cacheKinds = ['replication-group', 'cache-cluster', 'serverless'] as const;
/** What ElastiCache calls a store: each kind is asked for by a call of its own. */
export type CacheKind = (typeof cacheKinds)[number];

export type SessionStore = 'database' | 'redis' | 'memcached';

/**
 * What the function was deployed with. Every member is read from the environment when it is first asked for, so that a
 * function needs only the variables of its own phase.
 */
export interface Settings {
  readonly site: string;
  /** Address of the site without a slash at its end. */
  readonly siteUrl: string;
  readonly clusterArn: string;
  readonly webServiceName: string;
  readonly cronServiceName: string;
  readonly taskDefinitionFamily: string;
  readonly cronTaskDefinitionFamily: string;
  readonly containerName: string;
  /** Capacity provider of one-off tasks. */
  readonly taskCapacityProvider: string;
  readonly taskSubnets: string[];
  readonly taskSecurityGroups: string[];
  readonly targetGroupArn: string;
  /** For how long the load balancer keeps a client on its node; 0: not at all. */
  readonly stickySeconds: number;
  /** For example `/moodle/campus`, without a slash at its end. */
  readonly parameterPrefix: string;
  readonly repositoryName: string;
  readonly repositoryUri: string;
  /** Tag made from the content of `image/` as it was deployed. */
  readonly imageTag: string;
  readonly buildProjectName: string;
  /** Where the manifests of the images are kept. */
  readonly manifestBucket: string;
  /** Moodle release that the deployed options name, for example `5.3` or `5.3.1`. */
  readonly deployedMoodleVersion: string;
  /** SHA-256 of its archive; absent: the one that Moodle publishes. */
  readonly deployedMoodleChecksum: string | undefined;
  /** Address of Moodle's plugin directory without a slash at its end. */
  readonly pluginDirectoryUrl: string;
  /** Aurora is a cluster of instances, the other engines are one instance. */
  readonly databaseKind: 'cluster' | 'instance';
  /** RDS's identifier of that cluster or instance. */
  readonly databaseIdentifier: string;
  /** Vault and role of AWS Backup for the shared files. */
  readonly backupVaultName: string;
  readonly backupRoleArn: string;
  readonly fileSystemArn: string;
  /** What the names of the logs begin with that Container Insights writes of the site's cluster. */
  readonly insightsLogPrefix: string;
  readonly notificationTopicArn: string;
  /** The RDS Data API, or the database's own protocol from inside the network. */
  readonly databaseAccess: 'data-api' | 'network';
  readonly databaseEngine: DatabaseEngine;
  readonly databaseClusterArn: string;
  readonly databaseSecretArn: string;
  readonly databaseName: string;
  readonly databaseHost: string;
  readonly databasePort: number;
  /** Prefix of Moodle's tables, for example `mdl_`. */
  readonly databasePrefix: string;
  /** PEM file with the certificate authority of the database; absent: the trust of Node.js. */
  readonly databaseCertificateFile: string | undefined;
  readonly adminUser: string;
  readonly adminSecretArn: string;
  readonly sessionStoreType: 'redis' | 'memcached';
  readonly sessionStoreKind: CacheKind;
  readonly sessionStoreId: string;
  readonly sessionStoreEndpoint: string;
  readonly applicationStoreType: 'redis' | 'memcached';
  readonly applicationStoreKind: CacheKind;
  readonly applicationStoreId: string;
  readonly applicationStoreEndpoint: string;
  /** Memcached has no password, so that its variable is not there either. */
  readonly applicationStoreSecretArn: string;
  readonly defaultNodes: number;
  readonly maximumNodes: number;
  readonly normalHealthGraceSeconds: number;
  readonly installHealthGraceSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @throws SettingMissing when the variable is absent or empty
 */
export function requireEnv(name: string, environment: Environment = process.env): string {
  const value = environment[name];
  if (value) return value;
  throw new SettingMissing(
    `The function's environment variable ${name} is not set. Nothing was touched. Deploy the lifecycle stack again.`,
  );
}

function oneOf<Word extends string>(name: string, allowed: readonly Word[], environment: Environment): Word {
  const value = requireEnv(name, environment);
  const word = allowed.find((candidate) => candidate === value);
  if (word) return word;
  throw new SettingMissing(`The function's environment variable ${name} is “${value}”, not ${allowed.join(' or ')}.`);
}

function wholeNumber(name: string, environment: Environment): number {
  const value = requireEnv(name, environment);
  if (/^\d+$/.test(value)) return Number(value);
  throw new SettingMissing(`The function's environment variable ${name} is “${value}”, not a whole number.`);
}

/** Undefined where the variable says that the published one is compared. */
function checksum(name: string, environment: Environment): string | undefined {
  const value = requireEnv(name, environment);
  return value === 'published' ? undefined : value;
}

/** @throws SettingMissing when a member is read whose variable is absent or makes no sense */
export function settingsFrom(environment: Environment = process.env): Settings {
  const text = (name: string) => requireEnv(name, environment);
  const list = (name: string) => text(name).split(',');
  const number = (name: string) => wholeNumber(name, environment);
  return {
    get site() {
      return text('SITE');
    },
    get siteUrl() {
      return text('SITE_URL').replace(/\/+$/, '');
    },
    get clusterArn() {
      return text('CLUSTER_ARN');
    },
    get webServiceName() {
      return text('WEB_SERVICE_NAME');
    },
    get cronServiceName() {
      return text('CRON_SERVICE_NAME');
    },
    get taskDefinitionFamily() {
      return text('TASK_DEFINITION_FAMILY');
    },
    get cronTaskDefinitionFamily() {
      return text('CRON_TASK_DEFINITION_FAMILY');
    },
    get containerName() {
      return text('CONTAINER_NAME');
    },
    get taskCapacityProvider() {
      return text('TASK_CAPACITY_PROVIDER');
    },
    get taskSubnets() {
      return list('TASK_SUBNETS');
    },
    get taskSecurityGroups() {
      return list('TASK_SECURITY_GROUPS');
    },
    get targetGroupArn() {
      return text('TARGET_GROUP_ARN');
    },
    get stickySeconds() {
      return number('STICKY_SECONDS');
    },
    get parameterPrefix() {
      return text('PARAMETER_PREFIX').replace(/\/+$/, '');
    },
    get repositoryName() {
      return text('REPOSITORY_NAME');
    },
    get repositoryUri() {
      return text('REPOSITORY_URI');
    },
    get imageTag() {
      return text('IMAGE_TAG');
    },
    get buildProjectName() {
      return text('BUILD_PROJECT_NAME');
    },
    get manifestBucket() {
      return text('MANIFEST_BUCKET');
    },
    get deployedMoodleVersion() {
      return text('MOODLE_VERSION');
    },
    get deployedMoodleChecksum() {
      return checksum('MOODLE_CHECKSUM', environment);
    },
    get pluginDirectoryUrl() {
      return text('PLUGIN_DIRECTORY_URL').replace(/\/+$/, '');
    },
    get databaseIdentifier() {
      return text('DATABASE_IDENTIFIER');
    },
    get databaseKind() {
      return this.databaseEngine.startsWith('aurora-') ? 'cluster' : 'instance';
    },
    get backupVaultName() {
      return text('BACKUP_VAULT_NAME');
    },
    get backupRoleArn() {
      return text('BACKUP_ROLE_ARN');
    },
    get fileSystemArn() {
      return text('FILE_SYSTEM_ARN');
    },
    get insightsLogPrefix() {
      return text('INSIGHTS_LOG_PREFIX');
    },
    get notificationTopicArn() {
      return text('NOTIFICATION_TOPIC_ARN');
    },
    get databaseAccess() {
      return oneOf('DATABASE_ACCESS', ['data-api', 'network'], environment);
    },
    get databaseEngine() {
      return oneOf('DATABASE_ENGINE', databaseEngines, environment);
    },
    get databaseClusterArn() {
      return text('DATABASE_CLUSTER_ARN');
    },
    get databaseSecretArn() {
      return text('DATABASE_SECRET_ARN');
    },
    get databaseName() {
      return text('DATABASE_NAME');
    },
    get databaseHost() {
      return text('DATABASE_HOST');
    },
    get databasePort() {
      return number('DATABASE_PORT');
    },
    get databasePrefix() {
      return tablePrefix(text('DATABASE_PREFIX'));
    },
    get databaseCertificateFile() {
      return environment.DATABASE_CERTIFICATE_FILE;
    },
    get adminUser() {
      return text('ADMIN_USER');
    },
    get adminSecretArn() {
      return text('ADMIN_SECRET_ARN');
    },
    get sessionStoreType() {
      return oneOf('SESSION_STORE_TYPE', ['redis', 'memcached'], environment);
    },
    get sessionStoreKind() {
      return oneOf('SESSION_STORE_KIND', cacheKinds, environment);
    },
    get sessionStoreId() {
      return text('SESSION_STORE_ID');
    },
    get sessionStoreEndpoint() {
      return text('SESSION_STORE_ENDPOINT');
    },
    get applicationStoreType() {
      return oneOf('APPLICATION_STORE_TYPE', ['redis', 'memcached'], environment);
    },
    get applicationStoreKind() {
      return oneOf('APPLICATION_STORE_KIND', cacheKinds, environment);
    },
    get applicationStoreId() {
      return text('APPLICATION_STORE_ID');
    },
    get applicationStoreEndpoint() {
      return text('APPLICATION_STORE_ENDPOINT');
    },
    get applicationStoreSecretArn() {
      return text('APPLICATION_STORE_SECRET_ARN');
    },
    get defaultNodes() {
      return number('DEFAULT_NODES');
    },
    get maximumNodes() {
      return number('MAXIMUM_NODES');
    },
    get normalHealthGraceSeconds() {
      return number('NORMAL_HEALTH_GRACE_SECONDS');
    },
    get installHealthGraceSeconds() {
      return number('INSTALL_HEALTH_GRACE_SECONDS');
    },
  };
}

/** The prefix becomes part of table names, which SQL cannot take as a parameter: so nothing but Moodle's own letters. */
function tablePrefix(value: string): string {
  if (/^[a-z][a-z0-9_]{0,9}$/.test(value)) return value;
  throw new SettingMissing(
    `The function's environment variable DATABASE_PREFIX is “${value}”; a prefix has at most 10 small letters, digits and _.`,
  );
}
