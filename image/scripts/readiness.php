<?php
// /health/ready: 200 when this node can do a user's work, else 503. Asks every part itself instead of loading Moodle,
// so that maintenance mode is not ill health.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/site_state.php');
require_once(__DIR__ . '/lib/redis_connection.php');

/** Whether one check passes; why not goes to the log, never to the client. */
function passes(string $name, callable $check): bool {
    try {
        $reason = $check();
    } catch (\Throwable $problem) {
        $reason = $problem->getMessage();
    }
    if ($reason !== null) {
        error_log("moodle-node: not ready: $name: $reason");
    }
    return $reason === null;
}

function check_files(): ?string {
    $dataroot = required_setting('MOODLE_DATAROOT');
    return is_dir("$dataroot/filedir") && is_writable("$dataroot/filedir") ? null : "$dataroot/filedir is not a writable folder";
}

function check_session_store(): ?string {
    switch (required_setting('MOODLE_SESSION_STORE')) {
        case 'redis':
            connect_redis_of('SESSION');
            break;
        case 'memcached':
            connect_memcached(required_setting('MOODLE_SESSION_STORE_ENDPOINT'));
            break;
    }
    return null;
}

$database = null;
$checks = [
    'database' => passes('database', static function () use (&$database): ?string {
        $database = lifecycle_database::connect_once();
        return $database->one('SELECT 1 AS one') === null ? 'no answer' : null;
    }),
    'files' => passes('files', check_files(...)),
];
$checks['sessionStore'] = required_setting('MOODLE_SESSION_STORE') === 'database'
    ? $checks['database'] : passes('session store', check_session_store(...));
$checks['version'] = $database !== null && passes('version', static fn(): ?string =>
    version_difference($database) === 0.0 ? null : 'the versions of code and database differ');

http_response_code(in_array(false, $checks, true) ? 503 : 200);
header('Content-Type: application/json');
header('Cache-Control: no-store');
echo json_encode(['checks' => $checks]), "\n";
