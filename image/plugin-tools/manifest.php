<?php
// A manifest as plugins.schema.json describes it, and how the commands that read one say what is wrong.

namespace moodle_lifecycle\plugins;

/** A reason not to build an image with a plugin, in plain words. */
final class plugin_problem extends \RuntimeException {
    public function __construct(public readonly string $component, string $problem) {
        parent::__construct($problem);
    }
}

final class plugin_entry {
    public function __construct(
        public readonly string $component,
        public readonly float $version,
        public readonly string $url,
        public readonly string $sha256,
    ) {
    }

    /** Plugin type, the part before the first underscore. */
    public function type(): string {
        return strstr($this->component, '_', true);
    }

    public function name(): string {
        return substr(strstr($this->component, '_'), 1);
    }
}

/**
 * @return plugin_entry[] by component
 * @throws \InvalidArgumentException with the place in the file
 */
function read_manifest(string $file): array {
    $manifest = read_json($file);
    if (!is_array($manifest['plugins'] ?? null) || !array_is_list($manifest['plugins'])) {
        throw new \InvalidArgumentException("$file has no list “plugins”.");
    }
    $plugins = [];
    foreach ($manifest['plugins'] as $index => $plugin) {
        $entry = read_entry($plugin, "$file: plugins[$index]");
        if (isset($plugins[$entry->component])) {
            throw new \InvalidArgumentException("$file: plugins[$index]: $entry->component is there twice.");
        }
        $plugins[$entry->component] = $entry;
    }
    return $plugins;
}

/** @return array<string, mixed> */
function read_json(string $file): array {
    $text = is_file($file) ? file_get_contents($file) : false;
    if ($text === false) {
        throw new \InvalidArgumentException("$file cannot be read.");
    }
    try {
        $value = json_decode($text, true, 32, JSON_THROW_ON_ERROR);
    } catch (\JsonException $problem) {
        throw new \InvalidArgumentException("$file is not JSON: {$problem->getMessage()}.");
    }
    if (!is_array($value)) {
        throw new \InvalidArgumentException("$file is not a JSON object.");
    }
    return $value;
}

function read_entry(mixed $plugin, string $where): plugin_entry {
    $patterns = [
        'component' => '/^[a-z][a-z0-9]*_[a-z][a-z0-9_]*$/',
        'url' => '#^https?://\S+$#',
        'sha256' => '/^[0-9a-f]{64}$/',
    ];
    foreach ($patterns as $name => $pattern) {
        if (!is_string($plugin[$name] ?? null) || !preg_match($pattern . 'D', $plugin[$name])) {
            throw new \InvalidArgumentException("$where: “{$name}” does not match $pattern.");
        }
    }
    $version = $plugin['version'] ?? null;
    if (!is_int($version) && !is_float($version) || $version <= 0) {
        throw new \InvalidArgumentException("$where: “version” is not a number above 0.");
    }
    return new plugin_entry($plugin['component'], (float) $version, $plugin['url'], $plugin['sha256']);
}

/** As people write a version: 2026010100, or 2026010100.01. */
function version_text(float $version): string {
    return rtrim(rtrim(sprintf('%.2f', $version), '0'), '.');
}

/** One line, in the form that whoever reads the build's log looks for. */
function say_problem(plugin_problem $problem): void {
    $text = trim((string) preg_replace('/\s+/', ' ', $problem->getMessage()));
    fwrite(STDERR, "plugin problem: $problem->component: $text\n");
}
