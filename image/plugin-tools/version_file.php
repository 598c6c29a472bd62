<?php
// What a plugin's version.php says, without running it: by the reader of its tokens, with the variables and constants
// that Moodle has set where it includes the file (core\plugin_manager::load_present_plugins, upgrade_plugins and
// upgrade_plugins_modules in lib/upgradelib.php; the same from 4.4 to 5.1). And what Moodle itself refuses in it.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/php_reader.php');
require_once(__DIR__ . '/manifest.php');

/** Constants of Moodle that are there when it reads version.php; lib/classes/component.php and lib/moodlelib.php. */
const MOODLE_CONSTANTS = ['MOODLE_INTERNAL' => true, 'MATURITY_ALPHA' => 50, 'MATURITY_BETA' => 100, 'MATURITY_RC' => 150,
    'MATURITY_STABLE' => 200, 'ANY_VERSION' => 'any', 'YEARSECS' => 31536000, 'WEEKSECS' => 604800, 'DAYSECS' => 86400,
    'HOURSECS' => 3600, 'MINSECS' => 60, 'DAYMINS' => 1440, 'HOURMINS' => 60];

/** What version.php sets, by name, unchanged: as Moodle gets it. */
final class version_file {
    /** @param array<string, mixed> $said */
    public function __construct(public readonly array $said) {
    }

    public function component(): ?string {
        $component = $this->said['component'] ?? null;
        return is_string($component) && $component !== '' ? $component : null;
    }

    public function version(): ?float {
        $version = $this->said['version'] ?? null;
        return is_numeric($version) ? (float) $version : null;
    }

    /** @return array<string, mixed> version asked for, by component; nothing where it is no array, which Moodle passes over */
    public function dependencies(): array {
        $dependencies = $this->said['dependencies'] ?? [];
        return is_array($dependencies) || $dependencies instanceof \stdClass ? (array) $dependencies : [];
    }
}

/**
 * @param array<string, mixed> $moodle what a file may ask of $CFG; code_tree::said()
 * @param string|null $place where the folder will lie, if not there yet
 * @throws plugin_problem with the line that cannot be read
 */
function read_version_file(string $folder, string $component, array $moodle, ?string $place = null): version_file {
    $file = "$folder/version.php";
    if (!is_file($file)) {
        throw new plugin_problem($component, 'it has no version.php.');
    }
    $plugin = (object) ['version' => null];
    // Of an activity module Moodle takes $module as a sign of Moodle 2.4 and refuses it; elsewhere both names are one.
    $module = str_starts_with($component, 'mod_') ? new \stdClass() : $plugin;
    $reader = new php_reader(['plugin' => $plugin, 'module' => $module], MOODLE_CONSTANTS, ['CFG' => (object) $moodle], $folder,
        $place ?? $folder);
    try {
        $reader->read($file);
    } catch (unreadable_php $problem) {
        throw new plugin_problem($component, "what its version.php says cannot be read: {$problem->getMessage()}");
    }
    $module = $reader->variables['module'] ?? null;
    if (str_starts_with($component, 'mod_') && (!is_object($module) || (array) $module !== [])) {
        throw new plugin_problem($component, 'its version.php sets $module, the form of Moodle 2.4, which Moodle refuses. It has to set $plugin.');
    }
    $plugin = $reader->variables['plugin'] ?? null;
    if (!is_object($plugin)) {
        throw new plugin_problem($component, 'its version.php makes $plugin something that is no object, in which Moodle finds no version.');
    }
    return new version_file((array) $plugin);
}

/**
 * Why Moodle would not upgrade to this, whatever else there is: the conditions of upgrade_plugins (lib/upgradelib.php) and of
 * core\plugininfo\base::load_disk_version, which throws for `supported` and `incompatible` of another form.
 *
 * @return string[]
 */
function refused_by_moodle(version_file $file, code_tree $tree): array {
    $said = $file->said;
    $problems = [];
    if (($requires = $said['requires'] ?? null) && !is_numeric($requires)) {
        $problems[] = 'its $plugin->requires is ' . shown($requires) . ', which is no version of Moodle such as 2024100700.';
    } else if ($requires && $requires < 2010000000) {
        $problems[] = 'its $plugin->requires is ' . shown($requires) . ', which Moodle takes for a plugin of Moodle 1. It has to be a '
            . 'version such as 2024100700.';
    } else if ($requires && $requires > $tree->version) {
        $problems[] = 'it requires Moodle ' . version_text((float) $requires) . ' or newer; this is ' . version_text($tree->version) . " ($tree->release).";
    }
    $supported = $said['supported'] ?? null;
    if ($supported !== null && !is_range($supported)) {
        $problems[] = 'its $plugin->supported is ' . shown($supported) . ', which Moodle refuses. It has to be two branches, such as [405, 501].';
    }
    // Moodle refuses a branch from `incompatible` on. Beyond `supported` it only warns, and so does check-plugins.
    $incompatible = $said['incompatible'] ?? null;
    if ($incompatible !== null && !is_branch($incompatible)) {
        $problems[] = 'its $plugin->incompatible is ' . shown($incompatible) . ', which Moodle refuses. It has to be a branch, such as 502.';
    } else if ($incompatible !== null && $tree->branch >= (int) $incompatible) {
        $problems[] = "it says of itself that it cannot run on Moodle $tree->branch (incompatible from $incompatible on).";
    }
    return $problems;
}

/** What is said but does not stop a build. */
function version_warnings(version_file $file, code_tree $tree): array {
    $supported = $file->said['supported'] ?? null;
    $dependencies = $file->said['dependencies'] ?? [];
    return [
        ...(is_range($supported) && ($tree->branch < $supported[0] || $tree->branch > $supported[1])
            ? ["it names Moodle $supported[0] to $supported[1] as supported; this is $tree->branch."] : []),
        ...(is_array($dependencies) || is_object($dependencies) ? []
            : ['its $plugin->dependencies is ' . shown($dependencies) . ' and no array: Moodle takes it for none.']),
    ];
}

function is_range(mixed $value): bool {
    return is_array($value) && count($value) === 2 && is_int($value[0] ?? null) && is_int($value[1] ?? null) && $value[0] <= $value[1];
}

function is_branch(mixed $value): bool {
    return (is_int($value) || (is_string($value) && ctype_digit($value))) && (int) $value > 0;
}

/** A value as a plugin's author would write it, shortened. */
function shown(mixed $value): string {
    // Not deeper: a file can make an array of itself that has no end for anybody who writes it out.
    $text = (string) json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR, 4);
    return strlen($text) > 60 ? substr($text, 0, 57) . '…' : $text;
}
