<?php
// What an upgrade of this database to this code would do, and whether it needs maintenance.

namespace moodle_lifecycle;

require_once(__DIR__ . '/moodle_facts.php');

/**
 * @return array{pending: bool, maintenanceRequired: bool, why: string, plugins: array[], older: component_version[],
 *     missing: component_version[]}
 * @throws node_problem when Moodle cannot be started, or would refuse
 */
function upgrade_needs(lifecycle_database $database): array {
    $different = version_differences($database, code_versions());
    $which = static fn(callable $is): array => array_values(array_filter($different, $is));
    $older = $which(static fn(component_version $version): bool => $version->is_older());
    $newer = $which(static fn(component_version $version): bool => $version->is_newer());
    $found = ['older' => $older, 'missing' => $which(static fn(component_version $version): bool => $version->is_missing()),
        'plugins' => array_map(component_json(...), $newer)];
    if ($older !== []) {
        // Moodle does not get as far as to say anything.
        return ['pending' => true, 'maintenanceRequired' => true, 'why' => 'the code is older than the database'] + $found;
    }
    $facts = ask_moodle('describe-upgrade');
    if ($facts['problems'] !== []) {
        throw new node_problem('Moodle would refuse this upgrade: ' . implode('; ', $facts['problems']) . '. Nothing was changed.',
            count($facts['plugins']) === 1 ? ['plugin' => $facts['plugins'][0]] : []);
    }
    $steps = array_values(array_filter($newer, has_upgrade_step(...)));
    return [
        // Moodle compares a hash over all versions; a plugin that went away changes it too.
        'pending' => $facts['pending'] || $newer !== [],
        'maintenanceRequired' => $facts['maintenanceRequired'] || $steps !== [],
        'why' => match (true) {
            $facts['maintenanceRequired'] => 'Moodle says so: files under db/ changed, or a plugin came or went',
            $steps !== [] => 'there are upgrade steps for ' . in_words($steps),
            default => '',
        },
    ] + $found;
}

function component_json(component_version $version): array {
    return ['component' => $version->component, 'code' => $version->code, 'database' => $version->database];
}

/**
 * Whether db/upgrade.php names a version that this upgrade passes. Moodle looks only at whether that file changed, and it
 * can have had the step before.
 */
function has_upgrade_step(component_version $version): bool {
    $folder = component_folder($version->component);
    $file = $folder === null ? '' : "$folder/db/upgrade.php";
    if ($version->database === null || !is_file($file)) {
        return false;
    }
    preg_match_all('/\b\d{10}(?:\.\d+)?\b/', (string) file_get_contents($file), $numbers);
    foreach ($numbers[0] as $number) {
        if ((float) $number > $version->database && (float) $number <= $version->code) {
            return true;
        }
    }
    return false;
}
