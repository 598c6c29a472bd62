<?php
// Which code this node has and which code made the database, plugin by plugin, without running Moodle: code that does not
// fit the database may damage it, or fail before it can say why.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lifecycle_database.php');

/** One component, Moodle itself being `core`: its version in the code and in the database, null where it is not there. */
final class component_version {
    public function __construct(
        public readonly string $component,
        public readonly ?float $code,
        public readonly ?float $database,
    ) {
    }

    public function is_older(): bool {
        return $this->code !== null && $this->database !== null && $this->code < $this->database;
    }

    /** Newer than the database, or not yet in it. */
    public function is_newer(): bool {
        return $this->code !== null && ($this->database === null || $this->code > $this->database);
    }

    public function is_missing(): bool {
        return $this->code === null;
    }

    /** As it is said to people. */
    public function words(): string {
        return "$this->component (" . version_text($this->code) . ', database ' . version_text($this->database) . ')';
    }
}

/** 2026010100, or 2026010100.01; “none” where there is none. */
function version_text(?float $version): string {
    return $version === null ? 'none' : rtrim(rtrim(sprintf('%.2f', $version), '0'), '.');
}

/**
 * Every component of which code and database have different versions.
 *
 * @param array<string, float> $code as code_versions() gives it
 * @return component_version[]
 */
function version_differences(lifecycle_database $database, array $code): array {
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $there = ['core' => (float) $database->moodle_config($prefix, 'version')];
    foreach ($database->all("SELECT plugin, value FROM {$prefix}config_plugins WHERE name = 'version'") as $row) {
        $there[$row['plugin']] = (float) $row['value'];
    }
    $different = [];
    foreach ($code + $there as $component => $_) {
        $version = new component_version($component, $code[$component] ?? null, $there[$component] ?? null);
        if ($version->code !== $version->database) {
            $different[] = $version;
        }
    }
    return $different;
}

/**
 * Folders of plugins, by type and name, as Moodle's component cache of this node has them.
 *
 * @throws node_problem when it is not there
 */
function plugin_folders(): array {
    $file = required_setting('MOODLE_LOCAL') . '/component-cache/core_component.php';
    $cache = [];
    if (is_file($file)) {
        require($file);
    }
    if (!is_array($cache['plugins'] ?? null)) {
        throw new node_problem("Moodle's component cache is not in $file. Nothing was done.");
    }
    return $cache['plugins'];
}

function component_folder(string $component): ?string {
    return $component === 'core' ? moodle_dirroot() . '/lib'
        : plugin_folders()[strstr($component, '_', true)][substr((string) strstr($component, '_'), 1)] ?? null;
}

/**
 * Versions of Moodle and of every plugin in the code.
 *
 * @return array<string, float> by component
 * @throws node_problem when this node's component cache is not there
 */
function code_versions(): array {
    // What a version.php may use; Moodle's own definitions are not loaded.
    foreach (['MOODLE_INTERNAL' => true, 'MATURITY_ALPHA' => 50, 'MATURITY_BETA' => 100, 'MATURITY_RC' => 150,
            'MATURITY_STABLE' => 200, 'ANY_VERSION' => 'any'] as $name => $value) {
        defined($name) || define($name, $value);
    }
    $versions = ['core' => code_version()['version']];
    foreach (plugin_folders() as $type => $plugins) {
        foreach ($plugins as $name => $folder) {
            $versions["{$type}_$name"] = version_in("$folder/version.php");
        }
    }
    return array_filter($versions, static fn(?float $version): bool => $version !== null);
}

function version_in(string $file): ?float {
    if (!is_file($file)) {
        return null;
    }
    $plugin = new \stdClass();
    $module = $plugin;
    require($file);
    return isset($plugin->version) ? (float) $plugin->version : null;
}

/** @param component_version[] $versions */
function in_words(array $versions, int $most = 5): string {
    $words = array_map(static fn(component_version $version): string => $version->words(), array_slice($versions, 0, $most));
    $more = count($versions) - count($words);
    return implode(', ', $words) . ($more > 0 ? " and $more more" : '');
}
