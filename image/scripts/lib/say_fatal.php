<?php
// Has PHP say why it ends, before a script that is Moodle's: Moodle switches the reporting of errors off.

(static function (): void {
    // What is needed to say that there is no memory left.
    $reserve = str_repeat('x', 1 << 18);
    register_shutdown_function(static function () use (&$reserve): void {
        $reserve = null;
        $error = error_get_last();
        if ($error !== null && ($error['type'] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR)) !== 0) {
            error_log("PHP Fatal error:  {$error['message']} in {$error['file']}:{$error['line']}");
        }
    });
})();
