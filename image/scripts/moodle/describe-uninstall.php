<?php
// describe-uninstall.php <component> …: prints why Moodle would not uninstall these plugins, as one line of JSON. Changes
// nothing.

namespace moodle_lifecycle;

define('CACHE_DISABLE_ALL', true);
$components = array_slice($argv, 1);
require_once(__DIR__ . '/../lib/moodle.php');
require_once("$CFG->libdir/adminlib.php");

$manager = \core_plugin_manager::instance();
$unknown = [];
$problems = [];
foreach ($components as $component) {
    $plugin = $manager->get_plugin_info($component);
    $others = array_diff($manager->other_plugins_that_require($component), $components);
    if ($plugin === null || $plugin->versiondb === null) {
        $unknown[] = $component;
    } else if ($plugin->versiondisk === null) {
        // Without its install.xml Moodle leaves its tables behind.
        $problems[$component] = 'its code is not in this image, without which its data cannot be removed';
    } else if ($plugin->is_standard()) {
        $problems[$component] = 'it is part of Moodle itself, and would be installed again';
    } else if ($others !== []) {
        $problems[$component] = 'other plugins require it: ' . implode(', ', $others);
    } else if (!$manager->can_uninstall_plugin($component)) {
        $problems[$component] = 'Moodle does not uninstall it';
    }
}
echo "\n", json_encode(['unknown' => $unknown, 'problems' => (object) $problems], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
