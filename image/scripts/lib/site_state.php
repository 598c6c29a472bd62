<?php
// What is in the database, read without Moodle: nothing, a finished Moodle, an unfinished one, or something we must not
// touch. Only this decides whether a node installs.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lifecycle_database.php');

enum state: string {
    /** No table with Moodle's prefix. */
    case absent = 'absent';
    /** A finished Moodle. */
    case installed = 'installed';
    /** A finished Moodle whose administrator completes Moodle's own wizard in a browser, as this install was asked to end. */
    case wizard = 'wizard';
    /** Tables are there, but the install that made them did not finish. */
    case unfinished = 'unfinished';
}

/** @param array|null $marker row of moodle_lifecycle.install_marker, null when this site has none */
final class site_state {
    public function __construct(
        public readonly state $state,
        public readonly string $reason,
        public readonly int $tables,
        public readonly ?array $marker,
    ) {
    }
}

/**
 * Reads the state. The marker counts more than Moodle's own rows: about ten seconds before an install ends, those
 * already look finished.
 *
 * @throws \PDOException when the database cannot say: the state is unknown, and the caller must stop
 */
function read_site_state(lifecycle_database $database): site_state {
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $marker = $database->has_lifecycle_tables()
        ? $database->one('SELECT finish, attempt, node, started_at, finished_at, allowed_at, refused,
            CASE WHEN started_at IS NOT NULL AND finished_at IS NULL THEN 1 ELSE 0 END AS running,
            CASE WHEN finished_at IS NULL OR allowed_at > finished_at THEN 1 ELSE 0 END AS allows
            FROM moodle_lifecycle.install_marker WHERE site = ?', [site()])
        : null;
    $tables = $database->moodle_tables($prefix);
    $found = static fn(state $state, string $reason): site_state => new site_state($state, $reason, count($tables), $marker);

    if ($tables === []) {
        return $found(state::absent, "no table begins with $prefix");
    }
    if ((int) ($marker['running'] ?? 0) === 1) {
        return $found(state::unfinished, "the install that node {$marker['node']} began at {$marker['started_at']} has not finished");
    }
    if (!in_array("{$prefix}config", $tables, true)) {
        return $found(state::unfinished, "there are tables, but no {$prefix}config");
    }
    $config = static fn(string $name): ?string => $database->moodle_config($prefix, $name);
    foreach (['version', 'allversionshash'] as $name) {
        if (($config($name) ?? '') === '') {
            return $found(state::unfinished, "{$prefix}config has no $name");
        }
    }
    if ($config('rolesactive') !== '1') {
        return $found(state::unfinished, "rolesactive is not 1 in {$prefix}config");
    }
    if (($config('adminsetuppending') ?? '') !== '') {
        return ($marker['finish'] ?? '') === 'browser'
            ? $found(state::wizard, 'the administrator completes the wizard')
            : $found(state::unfinished, "adminsetuppending is set in {$prefix}config, and no rollout asked for a finish in the browser");
    }
    return $found(state::installed, 'version ' . $config('version'));
}

/** The code's version minus the database's: negative when the code is older. Zero when the database names none. */
function version_difference(lifecycle_database $database): float {
    $version = $database->moodle_config(setting('MOODLE_DATABASE_PREFIX', 'mdl_'), 'version');
    return $version === null ? 0.0 : code_version()['version'] - (float) $version;
}
