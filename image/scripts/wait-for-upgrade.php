<?php
// Ends with exit code 0 when this node's code and the database agree. Code that is newer waits: the rollout upgrades the
// database once its new nodes are there, and then they serve at once. Code that is older must not run (exit code 1).

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/update_run.php');
require_once(__DIR__ . '/lib/versions.php');
fail_plainly();

$database = lifecycle_database::connect();
$code = code_versions();
$prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
$said = '';
while (true) {
    $different = version_differences($database, $code);
    $older = array_values(array_filter($different, static fn(component_version $version): bool => $version->is_older()));
    if ($older !== []) {
        throw new node_problem('The code is older than the database: ' . in_words($older) . '. Moodle refuses that, and may damage the database. '
            . 'This node does not serve; start one with the code that made the database.');
    }
    $newer = array_values(array_filter($different, static fn(component_version $version): bool => $version->is_newer()));
    // Moodle's own mark of an upgrade that is running; it ends by itself after minutes when nobody renews it.
    $missing = array_filter($different, static fn(component_version $version): bool => $version->is_missing());
    $running = (int) $database->moodle_config($prefix, 'upgraderunning') > time()
        || update_run::is_at_work($database, array_column($missing, 'component'));
    if ($newer === [] && !$running) {
        exit(0);
    }
    $reason = $newer === [] ? 'an upgrade of the database is under way' : 'the database awaits an upgrade: ' . in_words($newer);
    if ($reason !== $said) {
        $said = $reason;
        say("waiting before serving: $reason");
        if ($database->has_lifecycle_tables()) {
            $database->acknowledge('waiting-for-upgrade', ['newer' => array_map(
                static fn(component_version $version): string => $version->component, $newer), 'reason' => $reason]);
        }
    }
    sleep(1);
}
