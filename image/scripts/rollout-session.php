<?php
// /health/session: whether this node has the session with which the client comes, for one that `inspect session` opened and
// no other. GET: 200 when it has, 404 when not. POST: ends the session and removes its user.
//
// Answers when PHP ends, whatever ended it: plugins and settings send a signed-in user elsewhere, or end the request, while
// Moodle starts (a second factor, the IP blocker), and by then the session is there. Only in Moodle's command-line maintenance
// no session is opened at all: then its 503 stays.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/rollout_user.php');

ob_start();
register_shutdown_function(static function (): void {
    if (http_response_code() === 503) {
        return;
    }
    while (ob_get_level() > 0) {
        ob_end_clean();
    }
    header_remove('Location');
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    $known = ($GLOBALS['SESSION']->moodle_lifecycle_until ?? 0) > time() && ($GLOBALS['USER']->username ?? '') === ROLLOUT_USER;
    $answer = $known ? 'known' : 'unknown';
    if ($known && $_SERVER['REQUEST_METHOD'] === 'POST') {
        \core\session\manager::terminate_current();
        remove_rollout_user();
        $answer = 'ended';
    }
    http_response_code($known ? 200 : 404);
    echo json_encode(['session' => $answer]), "\n";
});
require(getenv('MOODLE_DIRROOT') . '/config.php');
