<?php
// Says what is in the database, as one line of JSON. Exit code 0: installed; 3: not yet; 1: unknown.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/site_state.php');
fail_plainly();

$found = read_site_state(lifecycle_database::connect());
echo json_encode(['state' => $found->state->value, 'reason' => $found->reason, 'tables' => $found->tables]), "\n";
exit($found->state === state::installed ? 0 : 3);
