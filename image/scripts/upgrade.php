<?php
// upgrade --maintenance|--no-maintenance: brings the database to this code by Moodle's own upgrade, once. Half an upgrade
// is never continued: a task that finds one says so, and the rollout puts the database back.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle_facts.php');
require_once(__DIR__ . '/lib/page_check.php');
require_once(__DIR__ . '/lib/upgrade_needs.php');
require_once(__DIR__ . '/lib/upgrade_window.php');
fail_plainly();

$mode = $argv[1] ?? '';
run_one_off('upgrade', static function () use ($mode): array {
    if (!in_array($mode, ['--maintenance', '--no-maintenance'], true)) {
        throw new node_problem("The role is `upgrade --maintenance` or `upgrade --no-maintenance`, not “upgrade {$mode}”. Nothing was done.");
    }
    $database = lifecycle_database::connect();
    $progress = new upgrade_progress($database);
    $window = new upgrade_window($database, $progress);
    try {
        return upgrade($database, $progress, $window, $mode === '--maintenance');
    } catch (\Throwable $problem) {
        throw $window->failed($problem);
    }
});

function upgrade(lifecycle_database $database, upgrade_progress $progress, upgrade_window $window, bool $withmaintenance): array {
    $run = $window->run;
    if ($run->upgradeended !== null) {
        return ['plugins' => $run->upgraded(code_versions_prepared()), 'upgradeSeconds' => round($run->upgradeended - $run->upgradestarted, 1),
            'maintenanceSeconds' => round($window->close() ?? max(0, $run->maintenanceended - $run->maintenancesince), 1)];
    }
    if ($run->has_rows_before()) {
        $window->changes();
        throw new node_problem('An earlier task of this rollout began the upgrade and was killed in it. Half an upgrade is not continued: '
            . 'the database has to go back.');
    }
    $progress->enter('starting Moodle');
    prepare_moodle();
    $needs = upgrade_needs($database);
    refuse_upgrade($needs, $withmaintenance);
    $page = $withmaintenance ? ask_moodle('maintenance-page')['page'] : null;

    $window->open($page);
    $run->keep_rows(array_column($needs['plugins'], 'component'));
    $window->changes();
    $seconds = $needs['pending'] ? run_moodles_upgrade($progress, $withmaintenance) : 0.0;
    $progress->enter('looking at pages');
    assert_no_page_broke(look_at_pages(), pages_before($database));
    assert_upgraded($database, ask_moodle('describe-upgrade')['pending']);
    keep_pages_from_upgrading($database);
    $run->mark('upgrade_ended_at');
    $maintenance = $window->close();
    return ['plugins' => $run->upgraded(code_versions()), 'upgradeSeconds' => round($seconds, 1)]
        + ($withmaintenance ? ['maintenanceSeconds' => round($maintenance ?? 0, 1)] : []);
}

/**
 * Moodle's own lock, as `--set-ui-upgrade-lock` leaves it: until `end-maintenance`, a node with the code before would else
 * send administrators to the pages of an upgrade, and take the difference for one that is pending.
 */
function keep_pages_from_upgrading(lifecycle_database $database): void {
    $config = setting('MOODLE_DATABASE_PREFIX', 'mdl_') . 'config';
    $database->run("DELETE FROM $config WHERE name = 'outagelessupgrade'");
    $database->run("INSERT INTO $config (name, value) VALUES ('outagelessupgrade', '1')");
}

/** The component cache of this node may not be there when nothing else is needed. */
function code_versions_prepared(): array {
    prepare_moodle();
    return code_versions();
}

function refuse_upgrade(array $needs, bool $withmaintenance): void {
    if ($needs['older'] !== []) {
        throw new node_problem('The code is older than the database: ' . in_words($needs['older']) . '. Moodle cannot go back. Nothing was changed.',
            ['plugin' => $needs['older'][0]->component]);
    }
    if (!$withmaintenance && $needs['maintenanceRequired']) {
        throw new node_problem("This upgrade needs maintenance ({$needs['why']}), and was asked for without. Nothing was changed.");
    }
}

/** @return float seconds */
function run_moodles_upgrade(upgrade_progress $progress, bool $withmaintenance): float {
    $progress->enter('upgrading');
    // Whether a release that is not stable may be used was decided when the image was built from it.
    $words = ['--non-interactive', '--allow-unstable', ...($withmaintenance ? [] : ['--no-maintenance', '--set-ui-upgrade-lock'])];
    $command = php_command(required_setting('MOODLE_DIRROOT') . '/admin/cli/upgrade.php', ...$words);
    $ended = run_process($command, 60 * (float) setting('MOODLE_UPGRADE_MINUTES', '60'), $progress->watch(...), silent: true);
    if (!$ended->succeeded()) {
        throw moodle_problem("Moodle's upgrade failed", $ended);
    }
    return $ended->seconds;
}

/** An upgrade that ends with exit code 0 has not always been one: a plugin can end the process. */
function assert_upgraded(lifecycle_database $database, bool $pending): void {
    $different = array_filter(version_differences($database, code_versions()), static fn(component_version $version): bool => !$version->is_missing());
    $older = array_values(array_filter($different, static fn(component_version $version): bool => $version->is_older()));
    if ($older !== []) {
        throw new node_problem('After the upgrade the code is older than the database: ' . in_words($older) . '.', ['plugin' => $older[0]->component]);
    }
    $newer = array_values($different);
    if ($newer !== [] || $pending) {
        throw new node_problem("Moodle's upgrade ended before it was done" . ($newer === [] ? '.' : ': ' . in_words($newer) . '.'),
            count($newer) === 1 ? ['plugin' => $newer[0]->component] : []);
    }
}
