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

$database->acknowledge('serving', [
    'role' => $role,
    'moodleRelease' => $code['release'],
    'moodleVersion' => sprintf('%.2f', $code['version']),
    'databaseVersion' => (string) $databaseversion,
    // As Moodle's own moodle_needs_upgrading() finds it, but with the hash of the database: an upgrade without maintenance
    // leaves the one before in the caches until all nodes are new.
    'upgradePending' => $difference > 0
        || $database->moodle_config(setting('MOODLE_DATABASE_PREFIX', 'mdl_'), 'allversionshash') !== \core_component::get_all_versions_hash(),
    'sessionStore' => required_setting('MOODLE_SESSION_STORE'),
    'cacheConfigurationHash' => $hash,
    'php' => PHP_VERSION,
    'moodle' => 'real',
]);
