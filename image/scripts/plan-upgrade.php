<?php
// plan-upgrade: asks Moodle what this code would do with this database. Changes nothing.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/upgrade_needs.php');
fail_plainly();

run_one_off('plan-upgrade', static function (): array {
    $database = lifecycle_database::connect();
    prepare_moodle();
    $needs = upgrade_needs($database);
    return [
        'older' => array_map(static fn(component_version $version): string => $version->component, $needs['older']),
        'missing' => array_map(component_json(...), $needs['missing']),
    ] + array_filter($needs, static fn(mixed $value): bool => $value !== '');
});
