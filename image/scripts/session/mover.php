<?php
// Carries sessions from one store to another, one at a time and under Moodle's own lock, so that a request that is
// still writing to the old store is waited for.

namespace moodle_lifecycle\session;

require_once(__DIR__ . '/stores.php');

enum outcome {
    case carried;
    /** The source holds no live data of it, or the target knows better. */
    case nothing;
    /** Left in the source as it was. */
    case too_large;
}

final class mover {
    public function __construct(private readonly store $source, private readonly store $target) {
    }

    /**
     * Moves one session if the source still holds its data. Killed in between, the source still has it and the next
     * call moves it again.
     *
     * @param int $seconds how long to wait for a request that has it open
     * @throws session_busy
     */
    public function move(string $sid, int $seconds): outcome {
        if ($this->source->read($sid) === null) {
            return outcome::nothing;
        }
        return $this->source->exclusively($sid, $seconds, function () use ($sid): outcome {
            $outcome = $this->copy($sid);
            // A rollout that goes back finds there what the target could not hold.
            if ($outcome !== outcome::too_large) {
                $this->source->remove($sid);
            }
            return $outcome;
        });
    }

    /** Copies one session, leaving the source as it is. */
    public function copy(string $sid): outcome {
        $session = $this->source->read($sid);
        if ($session === null || !$session->is_live() || $this->target_knows_better($session)) {
            return outcome::nothing;
        }
        try {
            $this->target->write($session);
        } catch (session_too_large) {
            return outcome::too_large;
        }
        return outcome::carried;
    }

    /** Moves what the source holds of one user, so that "log out everywhere" finds it. */
    public function move_user(int $userid, int $seconds): void {
        foreach ($this->source->sids_of_user($userid) as $sid) {
            $this->move($sid, $seconds);
        }
    }

    /**
     * Whether the target's own data of this session is newer: the source then has only an earlier copy of it. When the
     * ages do not tell, it is the database's, because every move out of the database empties it.
     */
    private function target_knows_better(session_record $session): bool {
        $there = $this->target->read($session->sid);
        return $there !== null && ($there->timemodified > $session->timemodified
            || $there->timemodified === $session->timemodified && $this->target instanceof database_store);
    }
}
