<?php
// copy-sessions <from> <to> [--move]: carries every live session from one store to another, in the layout of this
// Moodle's handlers, so that nobody is logged out by a change of store. With --move the source is emptied of what was
// carried, and only what is still there is carried. A session that the other store cannot hold is counted and left: its
// user signs in again.

namespace moodle_lifecycle;

$words = array_slice($argv, 1);
require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle.php');
require_once(__DIR__ . '/session/mover.php');

/** A session that a request keeps open is tried again in later rounds. */
const ROUNDS = 3;
const PATIENCE_SECONDS = 20;

run_one_off('copy-sessions', static function () use ($words): array {
    $move = in_array('--move', $words, true);
    [$from, $to] = array_values(array_diff($words, ['--move'])) + ['', ''];
    if ($from === $to) {
        throw new node_problem('The role is `copy-sessions <from> <to> [--move]` with two different stores. Nothing was copied.');
    }
    // One session may be larger than all that a page needs.
    raise_memory_limit(MEMORY_UNLIMITED);
    $source = session\open_store($from);
    $mover = new session\mover($source, session\open_store($to));
    $copied = $skipped = $toolarge = 0;
    $left = $source->sids();
    for ($round = 1; $round <= ROUNDS && $left !== []; $round++) {
        $busy = [];
        foreach ($left as $sid) {
            try {
                $outcome = $move ? $mover->move($sid, PATIENCE_SECONDS) : $mover->copy($sid);
                $outcome === session\outcome::carried ? $copied++ : $skipped++;
                $toolarge += (int) ($outcome === session\outcome::too_large);
            } catch (session\session_busy) {
                $busy[] = $sid;
            }
        }
        $left = $busy;
    }
    if ($left !== []) {
        throw new node_problem(count($left) . " sessions stayed locked by requests and were not moved; $copied were. Run it again.");
    }
    return ['from' => $from, 'to' => $to, 'moved' => $move, 'copied' => $copied, 'skipped' => $skipped,
        'tooLarge' => $toolarge];
});
