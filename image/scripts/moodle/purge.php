<?php
// Empties all caches of Moodle, with caching on: with it off, Moodle would not reach the stores that the nodes use.

namespace moodle_lifecycle;

// A killed upgrade's lock may still be in one of the caches that are to be emptied.
define('NO_UPGRADE_CHECK', true);
require_once(__DIR__ . '/../lib/moodle.php');

purge_all_caches();
echo "\n", '{"purged": true}', "\n";
