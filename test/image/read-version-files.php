<?php
// read-version-files.php <code tree> <folder>: has the build's reader read version.php in each folder below the last one,
// <folder>/<type>/<name>/version.php; the names of version_file's values are those of load-disk-version.php.

namespace moodle_lifecycle\plugins;

require(__DIR__ . '/../../image/plugin-tools/code_tree.php');

[, $root, $folder] = $argv;
$tree = new code_tree($root);
$answers = [];
foreach (glob("$folder/*/*", GLOB_ONLYDIR) as $plugin) {
    [$type, $name] = array_slice(explode('/', $plugin), -2);
    try {
        $file = read_version_file($plugin, "{$type}_$name", $tree->said());
        $answers["$type/$name"] = array_fill_keys(['version', 'requires', 'supported', 'incompatible'], null);
        $answers["$type/$name"] = array_intersect_key($file->said, $answers["$type/$name"]) + $answers["$type/$name"]
            + ['dependencies' => $file->said['dependencies'] ?? [], 'problems' => refused_by_moodle($file, $tree)];
    } catch (plugin_problem $problem) {
        $answers["$type/$name"] = ['unreadable' => $problem->getMessage()];
    }
}
echo json_encode($answers, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
