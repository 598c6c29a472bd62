import { readFileSync } from 'node:fs';

export type SessionStoreName = 'database' | 'redis' | 'memcached';

/** A cache server as the environment names it. */
export interface CacheServer {
  readonly type: 'redis' | 'memcached';
  readonly host: string;
  readonly port: number;
  /** Redis AUTH; its presence also means TLS, as with ElastiCache. */
  readonly password: string | undefined;
  /** ARN of the secret that holds the password, to match the `secret_arn` of a cache store's row. */
  readonly secretArn: string | undefined;
}

export interface Settings {
  readonly site: string;
  readonly wwwroot: URL;
  readonly database: {
    readonly type: 'pgsql' | 'mysqli' | 'mariadb' | 'auroramysql';
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly prefix: string;
    readonly user: string;
    readonly password: string;
    /** As libpq's `sslmode`. */
    readonly tls: 'require' | 'verify-full' | 'disable';
  };
  /** The image's code: plugins, in `plugins/<component>`. */
  readonly dirroot: string;
  readonly dataroot: string;
  readonly local: string;
  readonly reverseProxyIgnore: readonly string[];
  readonly admin: { readonly user: string; readonly email: string; readonly password: string };
  readonly fullName: string;
  readonly shortName: string;
  readonly lang: string;
  readonly sessionStore: SessionStoreName;
  readonly sessionServer: CacheServer;
  readonly applicationServer: CacheServer;
  /** PEM of what signed the servers' certificates; undefined means the system's trust. */
  readonly certificateAuthority: string | undefined;
  readonly listen: { readonly host: string | undefined; readonly port: number };
  readonly metadataUri: string;
  readonly installSeconds: number;
  readonly upgradeSeconds: number;
  readonly cronSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the image's environment.
 * @throws Error that names the variable, what it held (never a secret) and what is allowed
 */
export function readSettings(env: Environment): Settings {
  const need = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set; the task definition must give it`);
    return value;
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = need(name);
    const known = allowed.find((candidate) => candidate === value);
    if (!known) throw new Error(`${name} is "${value}"; allowed here: ${allowed.join(', ')}`);
    return known;
  };
  const seconds = (name: string, otherwise: number): number => {
    const value = Number(env[name] ?? otherwise);
    if (!(value > 0)) throw new Error(`${name} is "${env[name]}"; it must be a number of seconds above 0`);
    return value;
  };
  const server = (which: 'SESSION' | 'APPLICATION', types: readonly ('redis' | 'memcached')[]): CacheServer => {
    const type = oneOf(`MOODLE_${which}_STORE_TYPE`, types);
    const { host, port } = hostAndPort(`MOODLE_${which}_STORE_ENDPOINT`, need(`MOODLE_${which}_STORE_ENDPOINT`));
    const password = type === 'redis' ? need(`MOODLE_${which}_STORE_PASSWORD`) : undefined;
    return { type, host, port, password, secretArn: env[`MOODLE_${which}_STORE_SECRET_ARN`] };
  };
  return {
    site: need('MOODLE_SITE'),
    wwwroot: new URL(need('MOODLE_WWWROOT')),
    database: {
      type: oneOf('MOODLE_DATABASE_TYPE', ['pgsql', 'mysqli', 'mariadb', 'auroramysql']),
      ...hostAndPort(
        'MOODLE_DATABASE_HOST:MOODLE_DATABASE_PORT',
        `${need('MOODLE_DATABASE_HOST')}:${need('MOODLE_DATABASE_PORT')}`,
      ),
      name: need('MOODLE_DATABASE_NAME'),
      prefix: need('MOODLE_DATABASE_PREFIX'),
      user: need('MOODLE_DATABASE_USER'),
      password: need('MOODLE_DATABASE_PASSWORD'),
      tls: oneOf('MOODLE_DATABASE_SSLMODE', ['require', 'verify-full', 'disable']),
    },
    dirroot: need('MOODLE_DIRROOT'),
    dataroot: need('MOODLE_DATAROOT'),
    local: need('MOODLE_LOCAL'),
    reverseProxyIgnore: (env.MOODLE_REVERSEPROXYIGNORE ?? '')
      .split(',')
      .map((range) => range.trim())
      .filter((range) => range !== ''),
    admin: {
      user: need('MOODLE_ADMIN_USER'),
      email: need('MOODLE_ADMIN_EMAIL'),
      password: need('MOODLE_ADMIN_PASSWORD'),
    },
    fullName: need('MOODLE_SITE_FULLNAME'),
    shortName: need('MOODLE_SITE_SHORTNAME'),
    lang: need('MOODLE_LANG'),
    sessionStore: oneOf('MOODLE_SESSION_STORE', ['database', 'redis', 'memcached']),
    sessionServer: server('SESSION', ['redis', 'memcached']),
    applicationServer: server('APPLICATION', ['redis']),
    certificateAuthority: env.SSL_CERT_FILE ? readFileSync(env.SSL_CERT_FILE, 'utf8') : undefined,
    listen: listenAddress(env.MOODLE_LISTEN ?? '8080'),
    metadataUri: need('ECS_CONTAINER_METADATA_URI_V4'),
    installSeconds: seconds('STAND_IN_INSTALL_SECONDS', 10),
    upgradeSeconds: seconds('STAND_IN_UPGRADE_SECONDS', 3),
    cronSeconds: seconds('STAND_IN_CRON_SECONDS', 5),
  };
}

/** Splits `host:port`; `name` is the setting that the error speaks of. */
export function hostAndPort(name: string, endpoint: string): { host: string; port: number } {
  const match = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(endpoint);
  if (!match?.[1]) throw new Error(`${name} is "${endpoint}"; it must be host:port`);
  return { host: match[1], port: Number(match[2]) };
}

function listenAddress(value: string): Settings['listen'] {
  return /^\d+$/.test(value) ? { host: undefined, port: Number(value) } : hostAndPort('MOODLE_LISTEN', value);
}
