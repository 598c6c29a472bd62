<?php
// acknowledge-serving <web|cron> <hash>: this node says in the database what it is about to serve with. Exit code 1 when
// it must not: code older than the database would damage it.

namespace moodle_lifecycle;

[, $role, $hash] = $argv + ['', '', ''];
require_once(__DIR__ . '/lib/site_state.php');
fail_plainly();

$database = lifecycle_database::connect();
$code = code_version();
$databaseversion = $database->moodle_config(setting('MOODLE_DATABASE_PREFIX', 'mdl_'), 'version');
$difference = version_difference($database);
if ($difference < 0) {
    throw new node_problem("The code ({$code['release']}, {$code['version']}) is older than the database ($databaseversion). "
        . 'Moodle refuses that. This node does not serve; start one with the code that made the database.');
}
require_once(__DIR__ . '/lib/moodle.php');
require_once("$CFG->libdir/upgradelib.php");

$database->acknowledge('serving', [
    'role' => $role,
    'moodleRelease' => $code['release'],
    'moodleVersion' => sprintf('%.2f', $code['version']),
    'databaseVersion' => (string) $databaseversion,
    // Moodle looks at the plugins too, but may take the version of its core from a cache. Its own lock against upgrades from
    // a page, which would have it say no, does not count here.
    'upgradePending' => $difference > 0 || moodle_needs_upgrading(false),
    'sessionStore' => required_setting('MOODLE_SESSION_STORE'),
    'cacheConfigurationHash' => $hash,
    'php' => PHP_VERSION,
    'moodle' => 'real',
]);
