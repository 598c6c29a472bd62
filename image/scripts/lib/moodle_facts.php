<?php
// What Moodle itself says about its code and this database, asked in a process of its own.

namespace moodle_lifecycle;

require_once(__DIR__ . '/moodle_output.php');
require_once(__DIR__ . '/moodle_process.php');
require_once(__DIR__ . '/versions.php');

/** Moodle starts in a second; a minute is a slow disk. */
const FACTS_SECONDS = 300;

/**
 * Makes this node's copy of what Moodle needs before it runs: its component cache and its cache stores. The same as
 * every role does, by the entrypoint.
 */
function prepare_moodle(): void {
    $ended = run_process([required_setting('MOODLE_NODE_SCRIPTS') . '/entrypoint', 'prepare'], FACTS_SECONDS);
    if (!$ended->succeeded()) {
        throw moodle_problem('Moodle cannot be started with this code', $ended);
    }
}

/**
 * Answer of one of our scripts that loads Moodle: the last line that is JSON. Plugins and PHP print around it, also at the end.
 *
 * @throws node_problem with Moodle's own error line
 */
function ask_moodle(string $script, string ...$words): array {
    $ended = run_process(php_command(required_setting('MOODLE_NODE_SCRIPTS') . "/scripts/moodle/$script.php", ...$words),
        FACTS_SECONDS, quiet: true);
    $answer = last_json($ended->output);
    if (!$ended->succeeded() || $answer === null) {
        throw moodle_problem('Moodle cannot be started with this code', $ended);
    }
    return $answer;
}

/** The last line that is an object of JSON. */
function last_json(string $output): ?array {
    foreach (array_reverse(explode("\n", $output)) as $line) {
        $found = str_starts_with($line, '{') ? json_decode($line, true) : null;
        if (is_array($found)) {
            return $found;
        }
    }
    return null;
}

/** A problem that says how a process of Moodle ended, and quotes Moodle. */
function moodle_problem(string $what, ended_process $ended): node_problem {
    $line = error_line($ended->lines);
    // What Moodle said last that it was upgrading may be an innocent one: settings of all plugins are read after the last.
    $plugin = component_of_file((string) $line) ?? current_component($ended->lines) ?? component_named((string) $line);
    $how = match (true) {
        $ended->overtime => sprintf('it did not end within %.0f s and was killed', $ended->seconds),
        $line !== null => $line,
        $ended->signal !== 0 => "it was killed by signal $ended->signal",
        $ended->lines !== [] => shortened($ended->lines[array_key_last($ended->lines)]),
        default => "it ended with exit code $ended->code and said nothing",
    };
    $details = array_filter(['plugin' => $plugin, 'line' => $line, 'log' => last_of($ended->lines)]);
    return new node_problem($what . ($plugin === null ? '' : ", in $plugin") . ': ' . rtrim($how, '.') . '.', $details);
}

/** The plugin that an error line names: the one whose file it is in, else one whose function or table it speaks of. */
function component_in(string $line): ?string {
    return component_of_file($line) ?? component_named($line);
}

function component_of_file(string $line): ?string {
    return component_that(static fn(string $component, string $folder): bool => str_contains($line, without_dirroot("$folder/")));
}

function component_named(string $line): ?string {
    return component_that(static fn(string $component): bool => preg_match("/(?<![a-z0-9_])$component(?![a-z0-9])/", $line) === 1);
}

/** @param callable(string, string): bool $matches takes a component and its folder */
function component_that(callable $matches): ?string {
    $found = [];
    foreach (plugin_folders() as $type => $plugins) {
        foreach ($plugins as $name => $folder) {
            if ($matches("{$type}_$name", $folder)) {
                $found[] = "{$type}_$name";
            }
        }
    }
    // A plugin can lie in the folder of another: the one whose name says most.
    usort($found, static fn(string $one, string $other): int => strlen($other) <=> strlen($one));
    return $found[0] ?? null;
}
