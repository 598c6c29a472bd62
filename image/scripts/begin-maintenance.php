<?php
// begin-maintenance: every page of the site answers 503 from now on.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/maintenance.php');
require_once(__DIR__ . '/lib/moodle_facts.php');
fail_plainly();

run_one_off('begin-maintenance', static function (): array {
    $maintenance = new maintenance();
    if ($maintenance->state() !== 'off') {
        return ['maintenance' => 'was on'];
    }
    try {
        prepare_moodle();
        $page = ask_moodle('maintenance-page')['page'];
    } catch (node_problem $problem) {
        // The database may be in no state for any code: the more it must be left in peace.
        say("Moodle's own page of maintenance cannot be had, a plain one takes its place: {$problem->getMessage()}");
        $page = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Maintenance</title></head>'
            . '<body><p>This site is undergoing maintenance and is currently not available.</p></body></html>';
    }
    return ['maintenance' => $maintenance->begin($page) ? 'begun' : 'was on'];
});
