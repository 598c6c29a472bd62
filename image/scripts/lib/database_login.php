<?php
// Who this node is to the database. Separate because config.php needs it too.

namespace moodle_lifecycle;

/**
 * User and password: as the secret has them now, where this node may read it, else as they were when the container
 * started.
 *
 * @return array{user: string, password: string}
 */
function database_login(): array {
    $text = @file_get_contents(database_login_file());
    $login = $text === false ? null : json_decode($text, true);
    return is_array($login) ? $login
        : ['user' => (string) getenv('MOODLE_DATABASE_USER'), 'password' => (string) getenv('MOODLE_DATABASE_PASSWORD')];
}

/** Written by fetch-database-login.php; readable by this node's user alone. */
function database_login_file(): string {
    return getenv('MOODLE_LOCAL') . '/run/database-login.json';
}

/** Has the secret read again at once, after the database has refused a connection: `keep-database-login` waits for it. */
function ask_for_database_login(): void {
    $pipe = getenv('MOODLE_LOCAL') . '/run/database-login.ask';
    // For reading and writing, which waits for nobody at the other end.
    if (@filetype($pipe) === 'fifo' && ($handle = @fopen($pipe, 'r+')) !== false) {
        stream_set_blocking($handle, false);
        fwrite($handle, "\n");
        fclose($handle);
    }
}
