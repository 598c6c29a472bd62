<?php
// What Moodle's session handlers do more while sessions move from one store to another: fetch the session of the
// request's cookie before it starts. A store that cannot be read fails the request, because going on without the
// session would log its user out for good. One that is too large for the new store will never come: its user signs in
// again.

namespace moodle_lifecycle\session;

require_once(__DIR__ . '/mover.php');

trait moves_sessions {
    private ?mover $mover = null;

    public function start() {
        $sid = $_COOKIE[session_name()] ?? '';
        if (is_string($sid) && preg_match('/^[a-zA-Z0-9,-]{16,128}$/', $sid)) {
            $outcome = $this->mover()->move($sid, self::PATIENCE_SECONDS);
            if ($outcome === outcome::too_large) {
                error_log('moodle-node: a session is too large for ' . getenv('MOODLE_SESSION_STORE') . '. Its user has to sign in again.');
            }
        }
        return parent::start();
    }

    /** Moodle 4.5 and newer looks here for the sessions of a user whom it logs out everywhere. */
    public function get_sessions_by_userid(int $userid): array {
        $this->mover()->move_user($userid, self::PATIENCE_SECONDS);
        return parent::get_sessions_by_userid($userid);
    }

    private function mover(): mover {
        $source = \moodle_lifecycle\required_setting('MOODLE_SESSION_MIGRATION_SOURCE');
        $target = \moodle_lifecycle\required_setting('MOODLE_SESSION_STORE');
        return $this->mover ??= new mover(open_store($source), open_store($target));
    }
}
