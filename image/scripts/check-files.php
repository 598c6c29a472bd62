<?php
// check-files [<most>]: whether the files that the database names are on the shared volume, with their sizes. For a site
// that was brought here from elsewhere, whose database and files travelled apart. Looks at most at so many of them
// (default 20,000, the newest half and a random half); changes nothing.

namespace moodle_lifecycle;

$most = (int) ($argv[1] ?? 20000);
require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/moodle.php');

/** So many of the missing ones are named. */
const EXAMPLES = 5;

run_one_off('check-files', static function () use ($most): array {
    global $CFG, $DB;
    if ($most < 1) {
        throw new node_problem('The role is `check-files [<most>]` with a number above 0. Nothing was looked at.');
    }
    $files = (int) $DB->count_records_sql('SELECT COUNT(DISTINCT contenthash) FROM {files} WHERE filesize > 0');
    $looked = [];
    $newest = 'SELECT contenthash, MAX(filesize) AS filesize FROM {files} WHERE filesize > 0
        GROUP BY contenthash ORDER BY MAX(id) DESC';
    foreach ($DB->get_records_sql($newest, [], 0, $files <= $most ? $most : intdiv($most + 1, 2)) as $file) {
        $looked[$file->contenthash] = (int) $file->filesize;
    }
    // Content hashes are SHA-1: those above a random one are a random choice of all.
    $random = 'SELECT contenthash, MAX(filesize) AS filesize FROM {files} WHERE filesize > 0 AND contenthash > :from
        GROUP BY contenthash ORDER BY contenthash';
    if ($files > $most) {
        $from = sha1(random_bytes(20));
        foreach ($DB->get_records_sql($random, ['from' => $from], 0, intdiv($most, 2)) as $file) {
            $looked[$file->contenthash] = (int) $file->filesize;
        }
    }
    $missing = $wrong = [];
    foreach ($looked as $hash => $size) {
        $path = "$CFG->dataroot/filedir/" . substr($hash, 0, 2) . '/' . substr($hash, 2, 2) . "/$hash";
        $actual = @filesize($path);
        if ($actual === false) {
            $missing[] = $hash;
        } else if ($actual !== $size) {
            $wrong[] = $hash;
        }
    }
    $found = ['files' => $files, 'looked' => count($looked), 'missing' => count($missing), 'wrongSize' => count($wrong)];
    if ($missing !== [] || $wrong !== []) {
        $examples = implode(', ', array_slice([...$missing, ...$wrong], 0, EXAMPLES));
        throw new node_problem(count($missing) . ' of ' . count($looked) . ' files that the database names are not in filedir, and '
            . count($wrong) . " have another size (for example $examples).", $found);
    }
    return $found;
});
