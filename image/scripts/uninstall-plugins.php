<?php
// uninstall-plugins <component> …: Moodle's own uninstall of plugins whose code this image still has, with all their data.
// Maintenance stays on: the upgrade to the image without their code follows.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle_facts.php');
require_once(__DIR__ . '/lib/upgrade_window.php');
fail_plainly();

$components = array_slice($argv, 1);
run_one_off('uninstall-plugins', static function () use ($components): array {
    if ($components === [] || preg_grep('/^[a-z][a-z0-9]*_[a-z][a-z0-9_]*$/D', $components, PREG_GREP_INVERT)) {
        throw new node_problem('The role is `uninstall-plugins <component> …`, each a type and a name like mod_x. Nothing was done.');
    }
    $database = lifecycle_database::connect();
    $progress = new upgrade_progress($database);
    $window = new upgrade_window($database, $progress);
    try {
        return uninstall($components, $progress, $window, $database);
    } catch (\Throwable $problem) {
        throw $window->failed($problem);
    }
});

function uninstall(array $components, upgrade_progress $progress, upgrade_window $window, lifecycle_database $database): array {
    $progress->enter('starting Moodle');
    prepare_moodle();
    ['unknown' => $unknown, 'problems' => $problems] = ask_moodle('describe-uninstall', ...$components);
    foreach ($problems as $component => $problem) {
        throw new node_problem("$component is not uninstalled: $problem. Nothing was changed.", ['plugin' => $component]);
    }
    $there = array_values(array_diff($components, $unknown));
    if ($there === []) {
        return ['uninstalled' => [], 'unknown' => $unknown];
    }
    if ($window->run->upgradestarted !== null) {
        $window->changes();
        throw new node_problem('An earlier task of this rollout began to uninstall and was killed in it. The database has to go back.');
    }
    $window->open(ask_moodle('maintenance-page')['page']);
    $window->changes();
    $progress->enter('uninstalling');
    $command = php_command(required_setting('MOODLE_DIRROOT') . '/admin/cli/uninstall_plugins.php', '--plugins=' . implode(',', $there), '--run');
    $ended = run_process($command, 60 * (float) setting('MOODLE_UPGRADE_MINUTES', '60'), $progress->watch(...), silent: true);
    if (!$ended->succeeded()) {
        throw moodle_problem("Moodle's uninstall failed", $ended);
    }
    // The command ends with exit code 0 whatever it did.
    $left = array_intersect($there, array_column($database->all('SELECT plugin FROM '
        . setting('MOODLE_DATABASE_PREFIX', 'mdl_') . "config_plugins WHERE name = 'version'"), 'plugin'));
    if ($left !== []) {
        throw new node_problem('Moodle did not uninstall ' . implode(', ', $left) . '.', ['plugin' => reset($left), 'log' => last_of($ended->lines)]);
    }
    return ['uninstalled' => $there, 'unknown' => $unknown];
}
