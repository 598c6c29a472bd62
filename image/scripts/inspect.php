<?php
// inspect pages|session …: what a rollout has to know of the site with this node's code, before and after it changes anything.
//   pages    how a page for a visitor and one for the administrator answer;
//   session  opens a session of the rollout's own user, for whoever may read this database: how to come with it is written
//            there under `rollout-session`, and neither printed nor in the report.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/page_check.php');
fail_plainly();

$what = array_slice($argv, 1);
run_one_off('inspect', static function () use ($what): array {
    if ($what === [] || array_diff($what, ['pages', 'session']) !== []) {
        throw new node_problem('The role is `inspect` with `pages`, `session` or both. Nothing was done.');
    }
    prepare_moodle();
    $found = [];
    if (in_array('pages', $what, true)) {
        $found['pages'] = array_map(static fn(page_look $page): array => ['kind' => $page->kind, 'status' => $page->status] + $page->details,
            look_at_pages());
    }
    if (in_array('session', $what, true)) {
        lifecycle_database::connect()->acknowledge('rollout-session', ask_moodle('open-session'));
        $found['session'] = 'open';
    }
    return $found;
});
