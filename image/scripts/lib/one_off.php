<?php
// How a one-off role ends: what it found is acknowledged under the role's name, printed, and told by the exit code.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lifecycle_database.php');

/**
 * @param callable $work returns what is acknowledged beside `ok`; a thrown exception is the problem
 */
function run_one_off(string $subject, callable $work): never {
    try {
        $value = ['ok' => true] + $work();
    } catch (\Throwable $problem) {
        $details = $problem instanceof node_problem ? $problem->details : [];
        $value = ['ok' => false, 'problem' => trim($problem->getMessage())] + $details;
    }
    echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
    try {
        lifecycle_database::connect()->acknowledge($subject, $value);
    } catch (\Throwable $problem) {
        say("this could not be acknowledged in the database: {$problem->getMessage()}");
        exit(1);
    }
    exit($value['ok'] ? 0 : 1);
}
