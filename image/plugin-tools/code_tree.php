<?php
// A tree of Moodle's code: its version, where plugins of which type lie, and which plugins are Moodle's own. Read from
// Moodle's own tables without running Moodle, because a build has no database and no configuration.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/manifest.php');

final class code_tree {
    /** Folder to which Moodle's tables are relative: public/ from 5.1 on. */
    public readonly string $dirroot;
    public readonly float $version;
    public readonly int $branch;
    public readonly string $release;

    /** @throws \InvalidArgumentException when it holds no Moodle */
    public function __construct(public readonly string $root) {
        $this->dirroot = is_file("$root/public/version.php") ? "$root/public" : $root;
        $text = is_file("$this->dirroot/version.php") ? (string) file_get_contents("$this->dirroot/version.php") : '';
        if (!preg_match('/^\s*\$version\s*=\s*([0-9.]+)\s*;/m', $text, $version)
                || !preg_match('/^\s*\$release\s*=\s*[\'"]([^\'"]+)[\'"]\s*;/m', $text, $release)
                || !preg_match('/^\s*\$branch\s*=\s*[\'"]?(\d+)[\'"]?\s*;/m', $text, $branch)) {
            throw new \InvalidArgumentException("There is no Moodle in $root.");
        }
        $this->version = (float) $version[1];
        $this->release = $release[1];
        $this->branch = (int) $branch[1];
    }

    /**
     * Folder of each plugin type, as Moodle itself would find them now: a plugin may bring types of its own.
     *
     * @return array<string, string>
     */
    public function plugin_types(): array {
        $types = array_map(fn(string $folder): string => "$this->dirroot/$folder",
            read_json("$this->dirroot/lib/components.json")['plugintypes'] ?? []);
        // Moodle lets plugins of these types have types of their own, one level deep.
        foreach (['mod', 'editor', 'tool', 'local'] as $parent) {
            foreach (glob("{$types[$parent]}/*/db/subplugins.json") as $file) {
                $types += $this->subtypes($file);
            }
        }
        return $types;
    }

    /** Folders of every plugin, by component. @return array<string, string> */
    public function plugins(): array {
        $plugins = [];
        foreach ($this->plugin_types() as $type => $folder) {
            foreach (glob("$folder/*/version.php") as $file) {
                $plugins["{$type}_" . basename(dirname($file))] = dirname($file);
            }
        }
        return $plugins;
    }

    /** Whether this plugin is part of Moodle itself. */
    public function is_standard(plugin_entry $plugin): bool {
        // From 4.5 on there is a list; before that it is an array in a method of the plugin manager.
        if (is_file("$this->dirroot/lib/plugins.json")) {
            return in_array($plugin->name(), read_json("$this->dirroot/lib/plugins.json")['standard'][$plugin->type()] ?? [], true);
        }
        $source = (string) @file_get_contents("$this->dirroot/lib/classes/plugin_manager.php");
        $type = preg_quote($plugin->type(), '/');
        return preg_match("/function standard_plugins_list\\(.*?'$type' => (?:array\\(|\\[)([^)\\]]*)[)\\]]/s", $source, $list)
            && preg_match("/'" . preg_quote($plugin->name(), '/') . "'/", $list[1]) === 1;
    }

    /** @return array<string, string> */
    private function subtypes(string $file): array {
        $said = read_json($file);
        $owner = dirname($file, 2);
        // `subplugintypes` is relative to the plugin, and takes the place of `plugintypes`, which is relative to Moodle.
        return isset($said['subplugintypes'])
            ? array_map(static fn(string $folder): string => "$owner/$folder", $said['subplugintypes'])
            : array_map(fn(string $folder): string => "$this->dirroot/$folder", $said['plugintypes'] ?? []);
    }
}
