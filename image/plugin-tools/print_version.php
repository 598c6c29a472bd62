<?php
// print_version.php <version.php>: runs one version.php as Moodle does and prints what it set, as one line of JSON.

define('MOODLE_INTERNAL', true);
define('MATURITY_ALPHA', 50);
define('MATURITY_BETA', 100);
define('MATURITY_RC', 150);
define('MATURITY_STABLE', 200);
define('ANY_VERSION', 'any');

$plugin = $module = new stdClass();
(static function (string $file) use ($plugin, $module): void {
    require($file);
})($argv[1]);
echo "\n", json_encode(array_intersect_key((array) $plugin, array_flip(['component', 'version', 'requires', 'incompatible',
    'supported', 'dependencies']))), "\n";
