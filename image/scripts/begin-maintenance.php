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
    prepare_moodle();
    return ['maintenance' => $maintenance->begin(ask_moodle('maintenance-page')['page']) ? 'begun' : 'was on'];
});
