/** One thing that a rehearsal needs from the system, and the Debian or Ubuntu package that brings it. */
export interface Requirement {
  readonly what: string;
  readonly aptPackage: string;
  isThere(system: InstalledSystem): boolean;
}

/** What is installed on this computer, as far as requirements ask. */
export interface InstalledSystem {
  /** Whether a program of this name, or matching it, can be run. */
  hasProgram(name: string | RegExp): boolean;
  /** Names of the extensions that PHP's command line loads, in lower case; empty where there is no PHP. */
  readonly phpExtensions: ReadonlySet<string>;
}

const program = (name: string, aptPackage = name): Requirement => ({
  what: name,
  aptPackage,
  isThere: (system) => system.hasProgram(name),
});

const phpExtension = (name: string, aptPackage: string): Requirement => ({
  what: `PHP's ${name}`,
  aptPackage,
  isThere: (system) => system.phpExtensions.has(name),
});

const always: readonly Requirement[] = [
  program('redis-server'),
  program('memcached'),
  // The image's container health check, which runs here as it does in a task.
  program('curl'),
];

/** In the place of MySQL too. */
const forMariaDb: readonly Requirement[] = [program('mariadbd', 'mariadb-server')];

/** Package names without a version bring the distribution's own PHP: 8.2 in Debian 12, 8.4 in Debian 13. */
const forRealMoodle: readonly Requirement[] = [
  program('nginx'),
  program('php', 'php-cli'),
  { what: 'php-fpm', aptPackage: 'php-fpm', isThere: (system) => system.hasProgram(/^php-fpm[\d.]*$/) },
  phpExtension('pgsql', 'php-pgsql'),
  phpExtension('mysqli', 'php-mysql'),
  phpExtension('redis', 'php-redis'),
  phpExtension('memcached', 'php-memcached'),
  phpExtension('curl', 'php-curl'),
  phpExtension('gd', 'php-gd'),
  phpExtension('intl', 'php-intl'),
  phpExtension('mbstring', 'php-mbstring'),
  phpExtension('soap', 'php-soap'),
  phpExtension('xml', 'php-xml'),
  phpExtension('zip', 'php-zip'),
];

/** What the tests look at the page of `lifecycle console` with. */
const forThePage: readonly Requirement[] = [program('chromium')];

export interface Needs {
  /** Whether PHP is to be run, and not the stand-in. */
  readonly realMoodle: boolean;
  readonly mariaDb: boolean;
  /** Whether a page is looked at in a real browser; no rehearsal needs one, the tests do. */
  readonly browser?: boolean;
}

export function missingRequirements(system: InstalledSystem, needs: Needs): Requirement[] {
  return [
    ...always,
    ...(needs.mariaDb ? forMariaDb : []),
    ...(needs.realMoodle ? forRealMoodle : []),
    ...(needs.browser ? forThePage : []),
  ].filter((requirement) => !requirement.isThere(system));
}

/** The packages of these requirements, each once, in alphabetical order. */
export function packagesOf(requirements: readonly Requirement[]): string[] {
  return [...new Set(requirements.map((requirement) => requirement.aptPackage))].sort();
}
