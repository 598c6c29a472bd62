<?php
// ask_moodle.php <code tree> <empty folder>: prints what this Moodle's own classes say of its code, as one line of JSON.
// It runs Moodle, and version.php of the plugins in the tree: check-moodle asks on the bare release, before anybody's plugins
// are in it.
//
// {"types": {type: folder}, "deprecated": {…}, "parents": ["mod", …], "plugins": {component: {folder, version, requires,
// supported, incompatible, dependencies} or {problem}}, "standard": {type: [name]}, "lacking": ["function x", …],
// "subplugins": {folder of a probe: types, or “refused”}}

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/moodle_contract.php');

ob_start();
[, $tree, $scratch] = $argv;
require_once(__DIR__ . '/start_moodle.php');

$manager = \core_plugin_manager::instance();
$relative = static fn(array $folders): array => array_map(
    static fn(string $folder): string => substr($folder, strlen($tree) + 1), $folders);
$own = static fn(string $name) => (new \ReflectionProperty($component, $name))->getValue();
$deprecated = method_exists($component, 'get_all_plugin_types')
    ? array_diff_key($component::get_all_plugin_types(), $component::get_plugin_types()) : [];

echo "\n", json_encode([
    'types' => (object) $relative($component::get_plugin_types()),
    'deprecated' => (object) $relative($deprecated),
    'parents' => $own('supportsubplugins'),
    'plugins' => (object) plugins_on_disk($component, $manager, $relative),
    'standard' => (object) standard_plugins($manager, [...array_keys($component::get_plugin_types()), ...array_keys($deprecated)]),
    'lacking' => lacking(),
    'subplugins' => (object) probed_subplugins($component, $tree, $scratch),
], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR), "\n";

/** What \core\plugininfo\base::load_disk_version makes of every plugin. */
function plugins_on_disk(string $component, object $manager, callable $relative): array {
    $all = method_exists($component, 'get_all_plugin_types');
    $plugins = [];
    foreach ($all ? $component::get_all_plugin_types() : $component::get_plugin_types() as $type => $_) {
        foreach ($relative($all ? $component::get_all_plugins_list($type) : $component::get_plugin_list($type)) as $name => $folder) {
            // Without a database: a plugin of Moodle's own types has a class that asks it in its constructor or later.
            $plugin = (new \ReflectionClass('core\plugininfo\general'))->newInstanceWithoutConstructor();
            [$plugin->type, $plugin->name, $plugin->component, $plugin->pluginman] = [$type, $name, "{$type}_$name", $manager];
            try {
                $plugin->load_disk_version();
                $plugins["{$type}_$name"] = ['folder' => $folder, 'version' => $plugin->versiondisk, 'requires' => $plugin->versionrequires,
                    'supported' => $plugin->pluginsupported, 'incompatible' => $plugin->pluginincompatible,
                    'dependencies' => $plugin->dependencies];
            } catch (\Throwable $problem) {
                $plugins["{$type}_$name"] = ['folder' => $folder, 'problem' => $problem->getMessage()];
            }
        }
    }
    return $plugins;
}

function standard_plugins(object $manager, array $types): array {
    $standard = [];
    foreach ($types as $type) {
        $standard[$type] = $manager::standard_plugins_list($type) ?: [];
    }
    return array_filter($standard);
}

/** What of moodle_contract.php this Moodle does not have. */
function lacking(): array {
    $lacking = [];
    foreach (FUNCTIONS as $name) {
        function_exists($name) || $lacking[] = "function $name()";
    }
    foreach (CONSTANTS as $name) {
        defined($name) || $lacking[] = "constant $name";
    }
    foreach (CLASSES as [$names, $methods]) {
        $found = array_values(array_filter($names, 'class_exists'))[0] ?? null;
        if ($found === null) {
            $lacking[] = 'class ' . implode(' or ', $names);
            continue;
        }
        foreach ($methods as $method) {
            method_exists($found, $method) || $lacking[] = "method $found::$method()";
        }
    }
    return $lacking;
}

/** How this Moodle reads each form in which a plugin can declare its subplugins; the probes lie in <scratch>/tree. */
function probed_subplugins(string $component, string $tree, string $scratch): array {
    global $CFG;
    $public = substr($CFG->dirroot, strlen($tree));
    $probes = glob("$scratch/tree$public/local/*", GLOB_ONLYDIR);
    $component::get_plugin_types();
    [$root, $dirroot] = [$CFG->root, $CFG->dirroot];
    [$CFG->root, $CFG->dirroot] = ["$scratch/tree", "$scratch/tree$public"];
    $read = new \ReflectionMethod($component, 'fetch_subtypes');
    $found = [];
    foreach ($probes as $probe) {
        try {
            $types = $read->invoke(null, $probe);
            $types = isset($types['plugintypes']) || isset($types['deprecatedplugintypes']) || isset($types['deletedplugintypes'])
                ? $types['plugintypes'] ?? [] : $types;
            $found[basename($probe)] = (object) array_map(
                static fn(string $folder): string => substr($folder, strlen("$scratch/tree/")), $types);
        } catch (\Throwable) {
            $found[basename($probe)] = 'refused';
        }
    }
    [$CFG->root, $CFG->dirroot] = [$root, $dirroot];
    return $found;
}
