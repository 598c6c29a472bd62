<?php
// end-maintenance: the site is open again, whatever an upgrade left behind: maintenance off, Moodle's locks against pages
// and against upgrades lifted, caches emptied. Then says whether code and database agree.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/maintenance.php');
require_once(__DIR__ . '/lib/moodle_facts.php');
fail_plainly();

/** The lock of a killed upgrade goes with its connection. */
const LOCK_SECONDS = 60;

run_one_off('end-maintenance', static function (): array {
    $database = lifecycle_database::connect();
    for ($deadline = time() + LOCK_SECONDS; !$database->try_upgrade_lock(); sleep(1)) {
        if (time() > $deadline) {
            throw new node_problem('An upgrade of this database is running (its lock is taken). Maintenance was not ended. Stop that task first.');
        }
    }
    // Without Moodle, which with `upgraderunning` refuses to start.
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $database->run("DELETE FROM {$prefix}config WHERE name IN ('upgraderunning', 'outagelessupgrade')");
    $problem = null;
    try {
        prepare_moodle();
        // First, because a node may have one of those rows from a cache.
        ask_moodle('purge');
    } catch (node_problem $problem) {
        // The site opens all the same.
    }
    $ended = (new maintenance())->end();
    if ($problem !== null) {
        throw new node_problem("Maintenance: $ended. But caches were not emptied: {$problem->getMessage()}", ['maintenance' => $ended] + $problem->details);
    }
    $different = version_differences($database, code_versions());
    $which = static fn(callable $is): array => array_values(array_filter($different, $is));
    return [
        'maintenance' => $ended,
        'pending' => $which(static fn(component_version $version): bool => $version->is_newer()) !== [],
        'older' => array_map(static fn(component_version $version): string => $version->component,
            $which(static fn(component_version $version): bool => $version->is_older())),
    ];
});
