<?php
// What can be known of a plugin in a tree of code without a database: one function for each reason not to build an image
// with it. Each gives its problems, in plain words; none touches the tree.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/code_tree.php');
require_once(__DIR__ . '/syntax.php');
require_once(__DIR__ . '/version_file.php');

/** Problems of what a plugin asks for: of Moodle, and of other plugins. @param array<string, string> $folders of every plugin in the tree */
function version_problems(version_file $file, code_tree $tree, array $folders): array {
    $problems = refused_by_moodle($file, $tree);
    foreach ($file->dependencies() as $name => $version) {
        $component = $tree->component_named((string) $name);
        if (is_int($name)) {
            $problems[] = 'its $plugin->dependencies is a list: each has to be a name with a version, such as '
                . shown([is_string($version) ? $version : 'mod_forum' => 'ANY_VERSION']) . '.';
            continue;
        }
        if (!isset($folders[$component])) {
            $problems[] = "it needs $component, which is not in the image.";
            continue;
        }
        $there = version_there($component, $folders[$component], $tree);
        // As \core\plugin_manager::are_dependencies_satisfied compares.
        if ($version != MOODLE_CONSTANTS['ANY_VERSION'] && $there < $version) {
            $problems[] = "it needs $component " . (is_numeric($version) ? version_text((float) $version) : shown($version)) . ' or newer; the image has '
                . (is_numeric($there) ? version_text((float) $there) : 'none that can be read') . '.';
        }
    }
    return $problems;
}

/** What Moodle compares a dependency with, null where it cannot be read: that is said of the plugin itself. */
function version_there(string $component, string $folder, code_tree $tree): mixed {
    try {
        return read_version_file($folder, $component, $tree->said())->said['version'] ?? null;
    } catch (plugin_problem) {
        return null;
    }
}

/** Problems and warnings of the types that a plugin brings. @return array{problems: string[], warnings: string[]} */
function subplugin_problems(plugin_entry $plugin, string $folder, code_tree $tree): array {
    if (!$tree->may_have_subplugins($plugin->type())) {
        return ['problems' => [], 'warnings' => []];
    }
    try {
        return ['problems' => [], 'warnings' => $tree->subtypes_of($plugin->component, $folder)['problems']];
    } catch (plugin_problem $problem) {
        return ['problems' => [$problem->getMessage()], 'warnings' => []];
    }
}

/** Problems of the subplugins that came in the plugin's own archive: Moodle upgrades them with it. */
function part_problems(array $parts, code_tree $tree, array $folders): array {
    $problems = [];
    foreach ($parts as $component => $folder) {
        // Of most types Moodle passes over a folder without one (upgrade_plugins in lib/upgradelib.php).
        if (!is_file("$folder/version.php")) {
            continue;
        }
        try {
            $file = read_version_file($folder, $component, $tree->said());
            $found = [
                ...($file->component() === $component ? [] : ['its version.php names ' . shown($file->said['component'] ?? null) . ' as component.']),
                ...($file->version() ? [] : ['its version.php names no version.']),
                ...version_problems($file, $tree, $folders),
            ];
        } catch (plugin_problem $problem) {
            $found = [$problem->getMessage()];
        }
        foreach ($found as $one) {
            $problems[] = "in its subplugin $component: $one";
        }
    }
    return $problems;
}

/** The plugins whose folders lie in this one. @param array<string, string> $folders @return array<string, string> */
function parts_of(string $folder, array $folders): array {
    return array_filter($folders, static fn(string $one): bool => str_starts_with($one, "$folder/"));
}

/** Problems with the PHP that runs this check, which is the image's. */
function php_problems(string $folder): array {
    $problems = [];
    $environment = is_file("$folder/environment.xml") ? @simplexml_load_file("$folder/environment.xml") : null;
    foreach ($environment ? $environment->xpath('//PHP[@level="required"][@version]') : [] as $php) {
        if (version_compare(PHP_VERSION, (string) $php['version'], '<')) {
            $problems[] = "its environment.xml requires PHP {$php['version']} or newer; this is " . PHP_VERSION . '.';
        }
    }
    $composer = is_file("$folder/composer.json") ? json_decode((string) file_get_contents("$folder/composer.json"), true) : null;
    $lowest = is_string($composer['require']['php'] ?? null) ? lowest_version($composer['require']['php']) : null;
    if ($lowest !== null && version_compare(PHP_VERSION, $lowest, '<')) {
        $problems[] = "its composer.json requires PHP {$composer['require']['php']}; this is " . PHP_VERSION . '.';
    }
    return $problems;
}

/**
 * Lower end of a Composer constraint such as “^8.1 || ~9.0”; null where it has none. The upper end is not looked at:
 * plugins that run well on a new PHP seldom say so.
 */
function lowest_version(string $constraint): ?string {
    $lowest = null;
    foreach (preg_split('/\s*\|\|?\s*/', $constraint) as $alternative) {
        if (!preg_match('/(?:^|[\s,])(?:>=|\^|~|=|v)?\s*(\d+(?:\.\d+)*)/', $alternative, $found)) {
            return null;
        }
        $lowest = $lowest === null || version_compare($found[1], $lowest, '<') ? $found[1] : $lowest;
    }
    return $lowest;
}

/** Problems of files that Moodle cannot do without. Other plugins without English words only look bad. */
function file_problems(plugin_entry $plugin, string $folder): array {
    // As upgrade_plugins_modules and upgrade_plugins_blocks in lib/upgradelib.php ask for them.
    $needed = match ($plugin->type()) {
        'mod' => ["lang/en/{$plugin->name()}.php" => 'takes no activity module', 'db/install.xml' => 'installs no activity module'],
        'block' => ["block_{$plugin->name()}.php" => 'takes no block'],
        default => [],
    };
    $problems = [];
    foreach ($needed as $file => $without) {
        if (!is_file("$folder/$file")) {
            $problems[] = "it has no $file, without which Moodle $without.";
        }
    }
    return $problems;
}

/** Problems of tables that two plugins, or a plugin and Moodle, make. @param array<string, string> $folders */
function table_problems(plugin_entry $plugin, array $folders, code_tree $tree): array {
    $own = tables_of($folders[$plugin->component]);
    $problems = [];
    foreach (['Moodle itself' => "$tree->dirroot/lib"] + array_diff_key($folders, [$plugin->component => 0]) as $owner => $folder) {
        foreach ($own === [] ? [] : array_intersect($own, tables_of($folder)) as $table) {
            $problems[] = "its table $table is also one of $owner.";
        }
    }
    return $problems;
}

/** @return string[] names without prefix */
function tables_of(string $folder): array {
    $text = is_file("$folder/db/install.xml") ? (string) file_get_contents("$folder/db/install.xml") : '';
    preg_match_all('/<TABLE\s+NAME="([^"]+)"/', $text, $found);
    return $found[1];
}
