<?php
// purge-caches: Moodle's own purge of everything.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle.php');

run_one_off('purge-caches', static function (): array {
    purge_all_caches();
    return [];
});
