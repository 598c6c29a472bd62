<?php
// One page of Moodle with everything that is on all of them, and nothing of its own: for nobody, or with ?as=admin for the
// administrator. Answers “whole” when it was made to its end; the redirect when Moodle or a plugin leads elsewhere; else
// “broken” and why, which Moodle tells developers only. Opens no session, so that it says something about the code and
// nothing about the session store. Served by PHP's own web server, for lib/page_check.php.

define('NO_MOODLE_COOKIES', true);
// Sent when the page is whole: an error on the way can still be an HTTP 500.
ob_start();
register_shutdown_function(static function (): void {
    $error = error_get_last();
    if ($error !== null && ($error['type'] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR)) !== 0) {
        answer(500, "broken: {$error['message']} in {$error['file']}:{$error['line']}");
    }
});
try {
    // As nginx says it: the port that the client asked for. Moodle leads whoever asked for another to its own address
    // (lib/setuplib.php, initialise_fullme).
    $_SERVER['SERVER_PORT'] = parse_url((string) getenv('MOODLE_WWWROOT'), PHP_URL_PORT) ?? $_SERVER['SERVER_PORT'];
    require(getenv('MOODLE_DIRROOT') . '/config.php');
    make_page();
    answer(200, 'whole');
} catch (\Throwable $problem) {
    $more = isset($problem->debuginfo) ? ": $problem->debuginfo" : '';
    answer(500, "broken: {$problem->getMessage()}$more in {$problem->getFile()}:{$problem->getLine()}");
}

function make_page(): void {
    global $PAGE, $OUTPUT;
    if (($_GET['as'] ?? '') === 'admin') {
        \core\session\manager::set_user(get_admin());
    }
    $PAGE->set_context(\context_system::instance());
    $PAGE->set_url('/');
    $PAGE->set_pagelayout('standard');
    echo $OUTPUT->header(), $OUTPUT->footer();
}

function answer(int $status, string $text): void {
    while (ob_get_level() > 0) {
        ob_end_clean();
    }
    http_response_code($status);
    echo $text, "\n";
}
