<?php
// Prints `<source> <until>` while sessions move to the store of this node, where until is in seconds since 1970;
// nothing otherwise. Read once, when the node starts.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/lifecycle_database.php');
fail_plainly();

/** The rollout replaces its nodes well within this time; afterwards Moodle's stock handlers serve alone. */
const MOVE_ON_DEMAND_SECONDS = 60 * 60;

$database = lifecycle_database::connect();
if (!$database->has_lifecycle_tables()) {
    exit(0);
}
$row = $database->one('SELECT source, target, ' . $database->epoch('opened_at') . ' AS opened
    FROM moodle_lifecycle.session_migration WHERE site = ? AND closed_at IS NULL', [site()]);
$store = required_setting('MOODLE_SESSION_STORE');
if ($row === null || $row['target'] !== $store || $row['source'] === $store) {
    exit(0);
}
$until = (int) $row['opened'] + MOVE_ON_DEMAND_SECONDS;
if ($until > time()) {
    say("sessions move from {$row['source']} to $store on demand until " . gmdate('H:i:s', $until) . ' UTC');
    echo "{$row['source']} $until\n";
}
