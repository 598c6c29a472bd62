import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { databaseEngines } from '../database-engines.ts';
import { dataroot } from './node-task.ts';
import { settingPrefix } from './settings.ts';
import { databaseName, type SiteDatabase } from './site-database.ts';
import type { SiteSecrets } from './site-secrets.ts';
import type { Store } from './store.ts';

/**
 * All that the image reads from its environment: in the open, and what ECS injects when a container starts; and what it
 * reads by itself while it runs.
 */
export interface NodeSettings {
  readonly environment: Record<string, string>;
  readonly secrets: Record<string, ecs.Secret>;
  /** What the role of its task has to be allowed. */
  readonly permissions: readonly iam.PolicyStatement[];
}

export interface NodeSettingsProps {
  readonly config: Config;
  readonly siteUrl: string;
  readonly database: SiteDatabase;
  readonly sessionStore: Store;
  readonly applicationStore: Store;
  readonly siteSecrets: SiteSecrets;
}

export function nodeSettings(scope: Construct, props: NodeSettingsProps): NodeSettings {
  const { config, siteUrl, database, sessionStore, applicationStore, siteSecrets } = props;
  const sessionStoreSetting = ssm.StringParameter.fromStringParameterName(
    scope,
    'SessionStoreSetting',
    `${settingPrefix(config.site)}/session-store`,
  );
  return {
    environment: {
      MOODLE_SITE: config.site,
      MOODLE_WWWROOT: siteUrl,
      MOODLE_DATABASE_TYPE: databaseEngines[database.engine].moodleType,
      MOODLE_DATABASE_HOST: database.host,
      MOODLE_DATABASE_PORT: database.port,
      MOODLE_DATABASE_NAME: databaseName,
      MOODLE_DATABASE_PREFIX: config.tablePrefix,
      // The password that ECS injects is that of the container's start; it may be rotated while the node runs.
      MOODLE_DATABASE_SECRET_ARN: database.secret.secretArn,
      MOODLE_DATAROOT: dataroot,
      // Ends before ECS ends the node: a request that takes longer gets an answer from nginx, and not a broken connection.
      MOODLE_DRAIN_SECONDS: String(config.stopTimeoutSeconds - 10),
      MOODLE_UPLOAD_MAX: `${config.uploadMegabytes}M`,
      // The load balancer writes the client's address last; nothing else stands between.
      MOODLE_REVERSEPROXYIGNORE: '',
      MOODLE_ADMIN_USER: config.adminUser,
      MOODLE_ADMIN_EMAIL: config.adminEmail,
      MOODLE_SITE_FULLNAME: config.siteFullName,
      MOODLE_SITE_SHORTNAME: config.siteShortName,
      MOODLE_LANG: config.language,
      MOODLE_SESSION_STORE_TYPE: sessionStore.type,
      MOODLE_SESSION_STORE_TOPOLOGY: sessionStore.topology,
      MOODLE_SESSION_STORE_ENDPOINT: sessionStore.endpoint,
      ...(sessionStore.secret && { MOODLE_SESSION_STORE_SECRET_ARN: sessionStore.secret.secretArn }),
      MOODLE_APPLICATION_STORE_TYPE: applicationStore.type,
      MOODLE_APPLICATION_STORE_TOPOLOGY: applicationStore.topology,
      MOODLE_APPLICATION_STORE_ENDPOINT: applicationStore.endpoint,
      ...(applicationStore.secret && { MOODLE_APPLICATION_STORE_SECRET_ARN: applicationStore.secret.secretArn }),
    },
    secrets: {
      MOODLE_DATABASE_USER: ecs.Secret.fromSecretsManager(database.secret, 'username'),
      MOODLE_DATABASE_PASSWORD: ecs.Secret.fromSecretsManager(database.secret, 'password'),
      MOODLE_ADMIN_PASSWORD: ecs.Secret.fromSecretsManager(siteSecrets.administrator, 'password'),
      MOODLE_UPGRADE_KEY: ecs.Secret.fromSecretsManager(siteSecrets.upgradeKey),
      ...(sessionStore.secret && { MOODLE_SESSION_STORE_PASSWORD: ecs.Secret.fromSecretsManager(sessionStore.secret) }),
      ...(applicationStore.secret && {
        MOODLE_APPLICATION_STORE_PASSWORD: ecs.Secret.fromSecretsManager(applicationStore.secret),
      }),
      MOODLE_SESSION_STORE: ecs.Secret.fromSsmParameter(sessionStoreSetting),
    },
    permissions: [
      new iam.PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [database.secret.secretArn],
      }),
    ],
  };
}
