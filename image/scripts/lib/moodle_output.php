<?php
// What Moodle's commands say, read for people: the error in one line, and the plugin that was being upgraded.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

/** The longest line that is reported. */
const LINE_LENGTH = 500;

/**
 * The line in which Moodle or PHP says what went wrong; null when none does.
 *
 * @param string[] $lines
 */
function error_line(array $lines): ?string {
    foreach ($lines as $index => $line) {
        if (preg_match('/^(?:\[[^\]]*\] )?PHP (?:Fatal|Parse) error:\s+(.*)$/', $line, $found)) {
            return shortened($found[1]);
        }
        if (preg_match('/^!!!\s*(.*?)\s*!!!$/', $line, $found)) {
            return shortened($found[1] . debug_information($lines, $index + 1));
        }
        if (preg_match('/^Default exception handler: (.*)$/', $line, $found)) {
            return shortened((string) preg_replace('/ Debug: ?$/', '', $found[1]));
        }
    }
    return null;
}

/** What Moodle adds for developers below an error: `!! … !!`, over several lines, before the stack trace. */
function debug_information(array $lines, int $from): string {
    $said = [];
    for ($index = $from; $index < count($lines) && !str_starts_with($lines[$index], '!! Stack trace'); $index++) {
        $said[] = trim((string) preg_replace('/^!!\s*|\s*!!$/', '', $lines[$index]));
        if (str_ends_with($lines[$index], '!!')) {
            break;
        }
    }
    $text = html_entity_decode(strip_tags(implode(' ', $said)));
    $text = trim((string) preg_replace('/\s*Error code: \w+\s*$/', '', $text));
    return $text === '' ? '' : ": $text";
}

/** The plugin, or `core`, that Moodle said last it was upgrading. @param string[] $lines */
function current_component(array $lines): ?string {
    foreach (array_reverse($lines) as $line) {
        if (preg_match('/^-->\s*([a-z][a-z0-9]*_[a-z0-9_]+)\s*$/', $line, $found)) {
            return $found[1];
        }
        if (preg_match('/^-->/', $line)) {
            return 'core';
        }
    }
    return null;
}

/** The last lines, each cut, for a report. @param string[] $lines */
function last_of(array $lines, int $most = 15): array {
    return array_map(shortened(...), array_slice($lines, -$most));
}

function shortened(string $line): string {
    $line = trim((string) preg_replace('/\s+/', ' ', without_dirroot($line)));
    return mb_strlen($line) > LINE_LENGTH ? mb_substr($line, 0, LINE_LENGTH) . ' …' : $line;
}

/** Paths as they are below Moodle's code. */
function without_dirroot(string $text): string {
    return str_replace(moodle_dirroot() . '/', '', $text);
}
