<?php
// What PHP said went wrong, in one line that names no path of this computer.

namespace moodle_lifecycle\plugins;

/** @return string[] */
function php_errors(string $output): array {
    $errors = [];
    foreach (explode("\n", $output) as $line) {
        $line = trim($line);
        if ($line !== '' && !str_starts_with($line, '#') && $line !== 'Stack trace:' && !preg_match('/^thrown in /', $line)) {
            $errors[] = (string) preg_replace('#\S*/([^/\s]+\.php)#', '$1', (string) preg_replace('/^(PHP )?/', '', $line));
        }
    }
    return $errors;
}

function first_php_error(string $output): string {
    return php_errors($output)[0] ?? 'PHP said nothing.';
}

/** The error that ended PHP: warnings came before it. */
function last_php_error(string $output): string {
    $errors = php_errors($output);
    $fatal = array_filter($errors, static fn(string $line): bool => preg_match('/^(Fatal|Parse) error/', $line) === 1);
    return end($fatal) ?: (end($errors) ?: 'PHP said nothing.');
}
