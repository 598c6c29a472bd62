<?php
// check-files [<most>]: whether the files that the database names are on the shared volume, with their sizes. For a site
// that was brought here from elsewhere, whose database and files travelled apart. Looks at most at so many of them
// (default 20,000, the newest half and a random half); changes nothing. Whether what it finds is well, its reader judges.

namespace moodle_lifecycle;

$most = (int) ($argv[1] ?? 20000);
require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle.php');
require_once(__DIR__ . '/lib/brought_files.php');

run_one_off('check-files', static function () use ($most): array {
    if ($most < 1) {
        throw new node_problem('The role is `check-files [<most>]` with a number above 0. Nothing was looked at.');
    }
    $files = count_contents();
    $looked = contents_to_look_for($most, $files <= $most);
    return ['files' => $files, 'looked' => count($looked)] + lost_of($looked) + ['aliases' => count_aliases(), 'encryptionKey' => encryption_key()];
});
