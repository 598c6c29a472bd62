<?php
// Opens a session of the rollout's own user in the store that the nodes have, and prints how to come with it, as one line of
// JSON: {"cookie": "MoodleSession", "sid": "…", "until": 1790000000}. Sessions of an earlier rollout are removed.

namespace moodle_lifecycle;

require_once(__DIR__ . '/../lib/moodle.php');
require_once(__DIR__ . '/../lib/rollout_user.php');
require_once(__DIR__ . '/../session/stores.php');

/** A rollout follows it within seconds, on a large site within minutes. */
const SESSION_SECONDS = 30 * 60;

$user = make_rollout_user();
$store = session\open_store(required_setting('MOODLE_SESSION_STORE'));
array_map($store->remove(...), $store->sids_of_user($user->id));
$DB->delete_records('sessions', ['userid' => $user->id]);

$now = time();
$until = $now + SESSION_SECONDS;
// As PHP's own session encoder writes it. The address is left out: Moodle's tracksessionip takes the first that comes.
$data = 'USER|' . serialize(get_complete_user_data('id', $user->id)) . 'SESSION|' . serialize((object) ['moodle_lifecycle_until' => $until]);
$sid = bin2hex(random_bytes(16));
// As if it were used last at its end: a site whose sessions time out after a minute would forget it before it is followed.
$store->write(new session\session_record($sid, (int) $user->id, $data, $now, $until, '127.0.0.1', '127.0.0.1'));
echo "\n", json_encode(['cookie' => 'MoodleSession' . ($CFG->sessioncookie ?? ''), 'sid' => $sid, 'until' => $until]), "\n";
