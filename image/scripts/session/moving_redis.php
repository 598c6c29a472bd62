<?php

namespace moodle_lifecycle\session;

require_once(__DIR__ . '/moves_sessions.php');

/** Moodle's own handler, for as long as sessions move to its store. */
final class moving_redis extends \core\session\redis {
    use moves_sessions;

    /** A request on an old node that still has the session open is waited for this long. */
    private const PATIENCE_SECONDS = 30;
}
