<?php
// Ends with exit code 0 when the database holds a Moodle that this node can serve. Installs it when the rollout allows
// it, waits while another node installs, and refuses (exit code 1, reason said and kept) in every doubtful case.
//
// One PHP process does all of it: the connection that holds the lock lives exactly as long as the installer.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/install_marker.php');
fail_plainly();

/** Waits longer than any install takes: the other node's lock goes when that node does. */
const LOCK_PATIENCE_SECONDS = 3600;

/** @return array|null the marker's row when this process holds the lock and must install; null when there is nothing to do */
function claim_install(lifecycle_database $database): ?array {
    $marker = new install_marker($database);
    $refuse = static function (string $reason) use ($marker): never {
        $marker->refused($reason);
        throw new node_problem($reason);
    };
    $servable = static fn(site_state $found): bool => in_array($found->state, [state::installed, state::wizard], true);

    $deadline = time() + LOCK_PATIENCE_SECONDS;
    $lastsaid = 0;
    while (true) {
        $found = read_site_state($database);
        if ($servable($found)) {
            say("the database holds Moodle: {$found->state->value} ($found->reason)");
            return null;
        }
        if ($found->state === state::absent && ($reason = why_not_beside($database) ?? why_not_install($found->marker)) !== null) {
            $refuse($reason);
        }
        if ($database->try_install_lock()) {
            break;
        }
        if (time() > $deadline) {
            throw new node_problem('Another node has held the install lock for ' . LOCK_PATIENCE_SECONDS . ' s. This node gave up waiting.');
        }
        if (time() - $lastsaid >= 15) {
            $lastsaid = time();
            say("another node installs ($found->tables tables so far); waiting for it");
        }
        sleep(2);
    }

    // Only now is nobody else at work: look again.
    $found = read_site_state($database);
    if ($servable($found)) {
        $database->release_install_lock();
        say("the database holds Moodle: {$found->state->value} ($found->reason)");
        return null;
    }
    if ($found->state === state::unfinished) {
        $reason = why_not_beside($database) ?? why_not_clear($database, $found);
        if ($reason !== null) {
            $refuse($reason);
        }
        say("clearing $found->tables tables: $found->reason, and they hold nobody's data");
        $database->drop_tables($database->moodle_tables(setting('MOODLE_DATABASE_PREFIX', 'mdl_')));
        $marker->cleared($found->tables);
    }
    $expected = expected_tables();
    $marker->started($expected);
    say("installing Moodle " . code_version()['release'] . ": $expected tables, finish {$found->marker['finish']}");
    return $found->marker;
}

$lifecycledatabase = lifecycle_database::connect();
$lifecyclemarker = claim_install($lifecycledatabase);
if ($lifecyclemarker === null) {
    exit(0);
}

// Moodle's own code from here on. Its files expect to be loaded outside any function.
define('CLI_SCRIPT', true);
define('CACHE_DISABLE_ALL', true);
$_SERVER['argv'] = [__FILE__];
// Moodle puts the reason of a failed installation on standard output and ends by itself with exit code 1.
restore_exception_handler();
require(required_setting('MOODLE_DIRROOT') . '/config.php');
require_once("$CFG->libdir/clilib.php");
require_once("$CFG->libdir/installlib.php");
require_once("$CFG->libdir/adminlib.php");
require_once("$CFG->libdir/upgradelib.php");
require_once("$CFG->libdir/environmentlib.php");
require_once("$CFG->libdir/componentlib.class.php");
require_once(__DIR__ . '/lib/moodle_installer.php');

try {
    moodle_installer\install($lifecyclemarker['finish']);
} catch (node_problem $problem) {
    (new install_marker($lifecycledatabase))->refused($problem->getMessage());
    say($problem->getMessage());
    exit(1);
}
(new install_marker($lifecycledatabase))->finished();
say('Moodle is installed');
