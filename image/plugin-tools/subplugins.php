<?php
// Which types of subplugins a plugin declares, as \core\component::fetch_subtypes reads it in the release at hand:
//   4.4, 4.5   db/subplugins.json with `plugintypes` (paths from Moodle's root), or db/subplugins.php;
//   5.0        db/subplugins.json with `subplugintypes` (paths from the plugin), else with `plugintypes`; Moodle stops at
//              a db/subplugins.php alone;
//   5.1        the same, and `plugintypes` is taken to be in public/.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/version_file.php');

const FIRST_BRANCH_WITH_SUBPLUGINTYPES = 500;

/**
 * Paths are relative to the tree's root.
 *
 * @return array{plugintypes: array<string, string>, deprecatedplugintypes?: array<string, string>,
 *     deletedplugintypes?: array<string, string>, problems: string[]}
 * @throws plugin_problem where Moodle would stop with every page
 */
function declared_subplugins(string $component, string $folder, code_tree $tree): array {
    $none = ['plugintypes' => [], 'problems' => []];
    $newer = $tree->branch >= FIRST_BRANCH_WITH_SUBPLUGINTYPES;
    if (!is_file("$folder/db/subplugins.json")) {
        if (!is_file("$folder/db/subplugins.php")) {
            return $none;
        }
        if ($newer) {
            throw new plugin_problem($component, "it declares its subplugins in db/subplugins.php alone, at which Moodle $tree->release "
                . 'stops with every page. It needs a version with db/subplugins.json.');
        }
        return ['plugintypes' => texts_of(subplugins_in_php($component, $folder, $tree))] + $none;
    }
    // To objects, as Moodle reads it: a list has its numbers for names.
    $said = json_decode((string) file_get_contents("$folder/db/subplugins.json"));
    if (!is_object($said)) {
        return ['problems' => ['its db/subplugins.json is no JSON object. Moodle passes it over.']] + $none;
    }
    $own = $tree->relative($folder);
    $inplugin = static fn(mixed $types): array => array_map(static fn(string $path): string => "$own/$path", texts_of($types));
    $inmoodle = texts_of($said->plugintypes ?? []);
    if (!$newer) {
        return ['plugintypes' => $inmoodle] + $none;
    }
    $public = substr($tree->dirroot, strlen($tree->root) + 1);
    return [
        'plugintypes' => !empty($said->subplugintypes) ? $inplugin($said->subplugintypes)
            : ($public === '' ? $inmoodle : array_map(
                static fn(string $path): string => str_starts_with($path, "$public/") ? $path : "$public/$path", $inmoodle)),
        'deprecatedplugintypes' => $inplugin($said->deprecatedsubplugintypes ?? []),
        'deletedplugintypes' => $inplugin($said->deletedsubplugintypes ?? []),
    ] + $none;
}

/** @return array<string, string> */
function texts_of(mixed $value): array {
    return array_filter((array) $value, 'is_string');
}

/** @throws plugin_problem with the line that cannot be read */
function subplugins_in_php(string $component, string $folder, code_tree $tree): mixed {
    $reader = new php_reader(['subplugins' => []], MOODLE_CONSTANTS, ['CFG' => (object) $tree->said()], $folder, $folder);
    try {
        $reader->read("$folder/db/subplugins.php");
    } catch (unreadable_php $problem) {
        throw new plugin_problem($component, "which subplugins it has cannot be read: {$problem->getMessage()}");
    }
    return $reader->variables['subplugins'] ?? [];
}

/** A path that a plugin names, in which a folder may be made. */
function is_plain_path(string $path): bool {
    return preg_match('#^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/?$#D', $path) === 1;
}
