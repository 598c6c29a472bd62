<?php
// What can be known of a plugin in a tree of code without a database: one function for each reason not to build an image
// with it. Each gives its problems, in plain words; none touches the tree.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/code_tree.php');
require_once(__DIR__ . '/version_file.php');

/** Problems of the versions that a plugin asks for. @param array<string, string> $folders of every plugin in the tree */
function version_problems(plugin_entry $plugin, array $said, code_tree $tree, array $folders): array {
    $problems = [];
    if (($said['requires'] ?? 0) > $tree->version) {
        $problems[] = 'it requires Moodle ' . version_text((float) $said['requires']) . ' or newer; this is ' . version_text($tree->version) . " ($tree->release).";
    }
    // Moodle refuses a branch from `incompatible` on. Beyond `supported` it only warns, and so does check-plugins.
    if (($said['incompatible'] ?? null) !== null && $tree->branch >= (int) $said['incompatible']) {
        $problems[] = "it says of itself that it cannot run on Moodle $tree->branch (incompatible from {$said['incompatible']} on).";
    }
    foreach ($said['dependencies'] ?? [] as $component => $version) {
        if (!isset($folders[$component])) {
            $problems[] = "it needs $component, which is not in the image.";
            continue;
        }
        $there = read_version_file($folders[$component], $component)['version'];
        if ($version !== 'any' && $there < (float) $version) {
            $problems[] = "it needs $component " . version_text((float) $version) . ' or newer; the image has ' . version_text($there) . '.';
        }
    }
    return $problems;
}

/** What is said but does not stop a build. */
function version_warnings(array $said, code_tree $tree): array {
    [$from, $to] = ($said['supported'] ?? []) + [0, PHP_INT_MAX];
    return $tree->branch < $from || $tree->branch > $to
        ? ["it names Moodle $from to $to as supported; this is $tree->branch."] : [];
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

/**
 * Problems of files that PHP cannot compile. Code of others that a plugin carries along may be meant for another PHP, and
 * never be loaded: of that, warnings. Tests are not run on a site.
 *
 * @return array{problems: string[], warnings: string[]}
 */
function syntax_problems(string $folder): array {
    $carried = carried_along($folder);
    $files = [];
    foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($folder, \FilesystemIterator::SKIP_DOTS)) as $file) {
        $relative = substr($file->getPathname(), strlen($folder) + 1);
        if ($file->getExtension() === 'php' && !preg_match('#(^|/)(tests|node_modules)/#', $relative)) {
            $files[] = $relative;
        }
    }
    $found = ['problems' => [], 'warnings' => []];
    foreach (compile_all($folder, $files) as $file => $error) {
        $kind = array_filter($carried, static fn(string $path): bool => str_starts_with("$file/", "$path/")) ? 'warnings' : 'problems';
        $found[$kind][] = "$file does not parse: $error";
    }
    return $found;
}

/** Paths in which the plugin says that others' code lies. */
function carried_along(string $folder): array {
    $said = is_file("$folder/thirdpartylibs.xml") ? @simplexml_load_file("$folder/thirdpartylibs.xml") : null;
    $paths = array_map(static fn($location): string => trim((string) $location, '/ '), $said ? $said->xpath('//location') : []);
    return ['vendor', ...array_filter($paths)];
}

/** Compiles files, as many at once as there are processors. @return array<string, string> error by file */
function compile_all(string $folder, array $files): array {
    $most = max(1, (int) trim((string) shell_exec('nproc')));
    $errors = $running = [];
    while ($files !== [] || $running !== []) {
        while ($files !== [] && count($running) < $most) {
            $file = array_shift($files);
            $command = [PHP_BINARY, '-n', '-d', 'display_errors=1', '-d', 'html_errors=0', '-d', 'error_reporting=-1', '-l', $file];
            $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']], $pipes, $folder);
            $running[] = [$file, $process, $pipes[1]];
        }
        [$file, $process, $pipe] = array_shift($running);
        $output = (string) stream_get_contents($pipe);
        fclose($pipe);
        if (proc_close($process) !== 0) {
            $errors[$file] = first_php_error($output);
        }
    }
    return $errors;
}

/** Problems of files that Moodle cannot do without. */
function file_problems(plugin_entry $plugin, string $folder): array {
    // Moodle stops an upgrade for a module without English words; other plugins only look bad.
    return $plugin->type() === 'mod' && !is_file("$folder/lang/en/{$plugin->name()}.php")
        ? ["it has no lang/en/{$plugin->name()}.php, without which Moodle takes no activity module."] : [];
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
