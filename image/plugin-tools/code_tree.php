<?php
// A tree of Moodle's code: its version, where plugins of which type lie, and which plugins are Moodle's own. Read from
// Moodle's own tables without running Moodle, because a build has no database and no configuration, and because Moodle
// would run files of plugins for it. The same rules as \core\component of 4.4 to 5.1; check-moodle asks that class whether
// they are those of the release at hand.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/manifest.php');
require_once(__DIR__ . '/subplugins.php');

/** A tree that this project does not know: what was looked for, and where. */
final class unknown_moodle extends \InvalidArgumentException {
}

final class code_tree {
    /** Of \core\component::$ignoreddirs: folders beside plugins that are none. auth/db is one all the same. */
    private const NO_PLUGINS = ['CVS', '_vti_cnf', 'amd', 'classes', 'db', 'fonts', 'lang', 'pix', 'simpletest', 'templates',
        'tests', 'yui'];
    /** Of \core\component::$supportsubplugins, in its order: types whose plugins may bring types of their own. */
    private const PARENTS = ['mod', 'editor', 'tool', 'local'];

    /** Folder that a web server serves: public/ from 5.1 on, before that the root. */
    public readonly string $dirroot;
    public readonly float $version;
    public readonly int $branch;
    public readonly string $release;
    /** Folders that are Moodle's own and no plugin's, by name of the subsystem. */
    private readonly array $components;
    private readonly array $standard;

    /** @throws unknown_moodle when it holds no Moodle, or one of another layout */
    public function __construct(public readonly string $root) {
        $this->dirroot = is_file("$root/public/version.php") ? "$root/public" : $root;
        if (!is_file("$this->dirroot/version.php")) {
            throw new unknown_moodle("There is no Moodle in $root: neither public/version.php (as from 5.1 on) nor version.php is there.");
        }
        $file = $this->relative("$this->dirroot/version.php");
        $text = (string) file_get_contents("$this->dirroot/version.php");
        $value = static fn(string $name, string $pattern): string => preg_match("/^\s*\\\$$name\s*=\s*$pattern\s*;/m", $text, $found)
            ? $found[1] : throw new unknown_moodle("$file does not set \$$name in the form that Moodle has had so far.");
        $this->version = (float) $value('version', '([0-9.]+)');
        $this->release = $value('release', '[\'"]([^\'"]+)[\'"]');
        $this->branch = (int) $value('branch', '[\'"]?(\d+)[\'"]?');
        // At the root in every release: from 5.1 on with paths from the root (public/mod), before that the root is all.
        $this->components = $this->table('lib/components.json', ['plugintypes', 'subsystems']);
        $this->standard = $this->table('lib/plugins.json', ['standard'])['standard'];
        foreach (self::PARENTS as $type) {
            if (!isset($this->components['plugintypes'][$type])) {
                throw new unknown_moodle("lib/components.json names no folder for plugins of the type “{$type}”.");
            }
        }
    }

    /**
     * What version.php of a plugin may ask of $CFG: what is the code's, and no site's. `yui3version` (lib/setup.php) is how
     * plugins tell Moodle 2.6 from newer ones.
     */
    public function said(): array {
        return ['version' => $this->version, 'branch' => (string) $this->branch, 'release' => $this->release, 'yui3version' => '3.18.1',
            'dirroot' => $this->dirroot, 'libdir' => "$this->dirroot/lib"];
    }

    /**
     * Folder of each plugin type, as Moodle itself would find them now: a plugin may bring types of its own.
     *
     * @return array<string, string>
     */
    public function plugin_types(): array {
        return $this->types()['plugintypes'];
    }

    /**
     * Folders where plugins of each type can be put: also where a plugin declares a type and has no folder for it yet, as
     * archives leave out empty ones. With the first plugin in it Moodle finds the type.
     *
     * @return array<string, string>
     */
    public function places(): array {
        $types = $this->types();
        return $types['plugintypes'] + array_diff_key($types['awaited'], $types['deprecatedplugintypes'], $types['deletedplugintypes']);
    }

    /**
     * The types that Moodle still reads, but in which nothing new should come (from 5.0 on).
     *
     * @return array<string, string>
     */
    public function deprecated_types(): array {
        return $this->types()['deprecatedplugintypes'];
    }

    /** Folders of every plugin, by component. @return array<string, string> */
    public function plugins(): array {
        $plugins = [];
        foreach (array_diff_key($this->types(), ['awaited' => 0]) as $types) {
            foreach ($types as $type => $folder) {
                foreach ($this->plugins_in($type, $folder) as $name => $plugin) {
                    $plugins["{$type}_$name"] = $plugin;
                }
            }
        }
        return $plugins;
    }

    /** Whether this plugin is part of Moodle itself. */
    public function is_standard(plugin_entry $plugin): bool {
        return in_array($plugin->name(), $this->standard[$plugin->type()] ?? [], true);
    }

    /** @return array<string, string[]> names of Moodle's own plugins by type */
    public function standard_plugins(): array {
        return $this->standard;
    }

    /** Whether Moodle would take a folder of this name for a plugin; it passes others over without a word. */
    public function is_valid_name(string $type, string $name): bool {
        if ($type === 'mod') {
            return !array_key_exists($name, $this->components['subsystems']) && preg_match('/^[a-z][a-z0-9]*$/D', $name) === 1;
        }
        return (!in_array($name, self::NO_PLUGINS, true) || "{$type}_$name" === 'auth_db')
            && preg_match('/^[a-z](?:[a-z0-9_](?!__))*[a-z0-9]+$/D', $name) === 1;
    }

    /** The component that a dependency names: without an underscore, an activity module. */
    public function component_named(string $name): string {
        return str_contains($name, '_') || in_array($name, ['', 'moodle', 'core'], true)
            || array_key_exists($name, $this->components['subsystems']) ? $name : "mod_$name";
    }

    /** Whether a plugin's own subplugins are looked for. */
    public function may_have_subplugins(string $type): bool {
        return in_array($type, self::PARENTS, true);
    }

    /**
     * Types that a plugin brings, and what Moodle passes over in what it says.
     *
     * @return array{plugintypes: array<string, string>, deprecatedplugintypes: array<string, string>,
     *     deletedplugintypes: array<string, string>, awaited: array<string, string>, problems: string[]}
     * @throws plugin_problem where Moodle would stop with every page
     */
    public function subtypes_of(string $component, string $folder): array {
        $declared = declared_subplugins($component, $folder, $this);
        $found = ['plugintypes' => [], 'deprecatedplugintypes' => [], 'deletedplugintypes' => [], 'awaited' => [],
            'problems' => $declared['problems']];
        foreach (array_diff_key($declared, ['problems' => 0]) as $kind => $types) {
            foreach ($types as $type => $path) {
                $problem = match (true) {
                    preg_match('/^[a-z][a-z0-9]*$/D', (string) $type) !== 1 => 'its name is not one of small letters and digits',
                    isset($this->components['subsystems'][$type]) => 'a part of Moodle itself has that name',
                    // Moodle would follow it; a build would put plugins there.
                    in_array('..', explode('/', $path), true) => "its folder $path leads elsewhere",
                    default => null,
                };
                if ($problem !== null) {
                    $found['problems'][] = "its subplugin type “{$type}” is none for Moodle: $problem.";
                } else if (is_dir("$this->root/$path")) {
                    $found[$kind][$type] = "$this->root/$path";
                } else {
                    $found['problems'][] = "its subplugin type “{$type}” is none for Moodle: its folder $path is not there.";
                    $found['awaited'] += $kind === 'plugintypes' && is_plain_path($path) ? [$type => "$this->root/$path"] : [];
                }
            }
        }
        return $found;
    }

    /** As people are told of it, and as Moodle's tables have it. */
    public function relative(string $path): string {
        return ltrim(substr($path, strlen($this->root)), '/');
    }

    /** @return array<string, array<string, string>> folders by kind and type */
    private function types(): array {
        $absolute = fn(array $types): array => array_map(fn(string $folder): string => "$this->root/$folder", $types);
        $types = [
            'plugintypes' => $absolute($this->components['plugintypes']),
            'deprecatedplugintypes' => $absolute($this->components['deprecatedplugintypes'] ?? []),
            'deletedplugintypes' => $absolute($this->components['deletedplugintypes'] ?? []),
            'awaited' => [],
        ];
        // Our config.php sets neither $CFG->themedir nor another $CFG->admin.
        $types['plugintypes'] = ['theme' => "$this->dirroot/theme", 'local' => "$this->dirroot/local"] + $types['plugintypes'];
        foreach (self::PARENTS as $parent) {
            foreach ($this->plugins_in($parent, $types['plugintypes'][$parent]) as $name => $folder) {
                try {
                    $subtypes = $this->subtypes_of("{$parent}_$name", $folder);
                } catch (plugin_problem) {
                    // Said by check-plugins.
                    continue;
                }
                foreach (array_keys($types) as $kind) {
                    // The first that has a name keeps it.
                    $types[$kind] += array_diff_key($subtypes[$kind], ...array_values(array_diff_key($types, ['awaited' => 0])));
                }
            }
        }
        return $types;
    }

    /** @return array<string, string> folder by name */
    private function plugins_in(string $type, string $folder): array {
        $plugins = [];
        foreach (is_dir($folder) ? scandir($folder) : [] as $name) {
            if (is_dir("$folder/$name") && $this->is_valid_name($type, $name)) {
                $plugins[$name] = "$folder/$name";
            }
        }
        return $plugins;
    }

    /** @param string[] $keys that it must have, each with an object */
    private function table(string $file, array $keys): array {
        if (!is_file("$this->root/$file")) {
            throw new unknown_moodle("Moodle $this->release is of a layout that is not known here: $file is not there, in which every "
                . 'release so far names its plugins.');
        }
        try {
            $table = read_json("$this->root/$file");
        } catch (\InvalidArgumentException) {
            throw new unknown_moodle("Moodle $this->release is of a layout that is not known here: $file is no JSON.");
        }
        foreach ($keys as $key) {
            if (!is_array($table[$key] ?? null)) {
                throw new unknown_moodle("Moodle $this->release is of a layout that is not known here: $file has no “{$key}”.");
            }
        }
        return $table;
    }
}
