import { existsSync, readFileSync } from 'node:fs';
import { RDSDataClient } from '@aws-sdk/client-rds-data';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DataApiDatabase } from './data-api-database.ts';
import { mysql, postgresql } from './dialect.ts';
import { SettingMissing } from './errors.ts';
import type { MoodleDatabase } from './moodle-database.ts';
import { MysqlDatabase } from './mysql-database.ts';
import { PgDatabase } from './pg-database.ts';
import { readPendingSecret, readSecret } from './secrets.ts';
import type { Settings } from './settings.ts';

/** Lambda's own bundle of certificate authorities, which holds those of RDS; Node.js does not load it by itself. */
const lambdaCertificates = '/var/runtime/ca-cert.pem';

/** One statement of the Data API may take 45 s; the client has to wait longer than the service. */
const dataApiMilliseconds = 60_000;

/**
 * The site's database by the way that the site was deployed with. Connects at the first statement.
 *
 * @throws SettingMissing for the Data API of an engine that has none
 */
export function openDatabase(settings: Settings): MoodleDatabase {
  const { databaseEngine: engine } = settings;
  const isPostgres = engine === 'aurora-postgresql' || engine === 'postgresql';
  if (settings.databaseAccess === 'data-api') {
    if (!engine.startsWith('aurora-')) {
      throw new SettingMissing(
        `DATABASE_ACCESS is data-api, which ${engine} does not have. Nothing was touched. Deploy with databaseAccess=network.`,
      );
    }
    return new DataApiDatabase(
      new RDSDataClient({ requestHandler: { requestTimeout: dataApiMilliseconds } }),
      {
        resourceArn: settings.databaseClusterArn,
        secretArn: settings.databaseSecretArn,
        database: settings.databaseName,
      },
      isPostgres ? postgresql : mysql,
    );
  }
  const secrets = new SecretsManagerClient({});
  const file = settings.databaseCertificateFile ?? (existsSync(lambdaCertificates) ? lambdaCertificates : undefined);
  const connection = {
    host: settings.databaseHost,
    port: settings.databasePort,
    database: settings.databaseName,
    tls: file ? { ca: readFileSync(file, 'utf8') } : {},
    credentials: async (refused: boolean) => {
      const pending = refused ? await readPendingSecret(secrets, settings.databaseSecretArn) : undefined;
      const secret = pending ?? (await readSecret(secrets, settings.databaseSecretArn));
      return { user: secret.username ?? '', password: secret.password ?? '' };
    },
  };
  return isPostgres ? new PgDatabase(connection) : new MysqlDatabase(connection);
}
