<?php
// Which files of a plugin PHP cannot compile, and which of those Moodle would load. The rule is in README.md.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/php_errors.php');

/** Folders of a plugin in which Moodle loads files by their place: \core\component's class map, languages, upgrade, restore. */
const LOADED_FOLDERS = ['backup', 'classes', 'db', 'lang'];
/** What lies in folders of these names, at any depth, is others' or never run on a site. */
const UNLOADED_FOLDERS = ['fixtures', 'vendor'];
const UNCOMPILED_FOLDERS = ['node_modules', 'tests'];

/**
 * A file that does not compile is a problem where Moodle would load it, and else a warning: code of others that a plugin
 * carries along may be meant for another PHP, and never be loaded.
 *
 * @param array<string, string> $parts folders of the subplugins in it
 * @return array{problems: string[], warnings: string[]}
 */
function syntax_problems(string $folder, array $parts, string $type): array {
    $roots = ['' => $type];
    foreach ($parts as $component => $part) {
        $roots[substr($part, strlen($folder) + 1) . '/'] = strstr($component, '_', true);
    }
    $files = php_files($folder);
    $found = ['problems' => [], 'warnings' => []];
    $broken = compile_all($folder, $files);
    if ($broken === []) {
        return $found;
    }
    $carried = carried_along($folder);
    $others = static fn(string $file): bool => is_below($file, $carried) || array_intersect(explode('/', dirname($file)), UNLOADED_FOLDERS) !== [];
    $loaded = array_filter($files, static fn(string $file): bool => !$others($file) && has_a_place($file, $roots));
    foreach ($broken as $file => $error) {
        $kind = !$others($file) && (in_array($file, $loaded, true) || is_page("$folder/$file") || is_required($file, $loaded, $folder))
            ? 'problems' : 'warnings';
        $found[$kind][] = "$file does not parse: $error" . ($kind === 'warnings' ? ' Moodle itself does not load it.' : '');
    }
    return $found;
}

/** @return string[] paths in the folder */
function php_files(string $folder): array {
    $files = [];
    foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($folder, \FilesystemIterator::SKIP_DOTS)) as $file) {
        $path = substr($file->getPathname(), strlen($folder) + 1);
        if ($file->getExtension() === 'php' && array_intersect(explode('/', dirname($path)), UNCOMPILED_FOLDERS) === []) {
            $files[] = $path;
        }
    }
    sort($files);
    return $files;
}

/**
 * Paths in which the plugin, or a part of it, says that others' code lies.
 *
 * @return string[]
 */
function carried_along(string $folder): array {
    $paths = [];
    foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($folder, \FilesystemIterator::SKIP_DOTS)) as $file) {
        if ($file->getFilename() !== 'thirdpartylibs.xml') {
            continue;
        }
        $said = @simplexml_load_file($file->getPathname());
        foreach ($said ? $said->xpath('//location') : [] as $location) {
            $place = trim(substr($file->getPath(), strlen($folder)) . '/' . trim((string) $location, " \t\r\n/"), '/');
            if ($place !== '') {
                $paths[] = $place;
            }
        }
    }
    return $paths;
}

/** @param string[] $folders */
function is_below(string $file, array $folders): bool {
    foreach ($folders as $folder) {
        if (str_starts_with("$file/", "$folder/")) {
            return true;
        }
    }
    return false;
}

/**
 * Whether Moodle loads it by its place: at the top of the plugin or of a subplugin (lib.php, settings.php, pages …), or in
 * one of the folders that it looks into; a theme's layouts too.
 *
 * @param array<string, string> $roots type of the plugin by the path of its folder
 */
function has_a_place(string $file, array $roots): bool {
    foreach ($roots as $root => $type) {
        if (!str_starts_with($file, $root)) {
            continue;
        }
        $path = substr($file, strlen($root));
        $first = strstr($path, '/', true);
        if ($first === false || in_array($first, LOADED_FOLDERS, true) || ($type === 'theme' && $first === 'layout')) {
            return true;
        }
    }
    return false;
}

/** A page that a browser asks for, or a command: it starts Moodle. */
function is_page(string $file): bool {
    return preg_match('/\b(?:require|include)(?:_once)?\b[^;]{0,200}\bconfig\.php/', (string) file_get_contents($file)) === 1;
}

/** Whether one of these files requires it by the end of its path. @param string[] $loaded */
function is_required(string $file, array $loaded, string $folder): bool {
    $words = '/\b(?:require|include)(?:_once)?\b[^;]{0,200}[\/\'"]' . preg_quote($file, '/') . '[\'"]/';
    foreach ($loaded as $one) {
        if (preg_match($words, (string) file_get_contents("$folder/$one")) === 1) {
            return true;
        }
    }
    return false;
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
    ksort($errors);
    return $errors;
}
