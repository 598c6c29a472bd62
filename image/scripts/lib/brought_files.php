<?php
// The files of a site that was brought here: what its database says of them, and what is there. Needs Moodle loaded.

namespace moodle_lifecycle;

/** So many of those that are not right are named. */
const LOST_EXAMPLES = 5;

/**
 * Rows of `files` whose content has to be in filedir, with the size that they say. Not there are
 * - aliases to files in repositories outside: they have the hash of nothing, or of what was fetched last, and the size of the
 *   file outside (file_storage::create_file_from_reference, stored_file::set_synchronized);
 * - drafts, which Moodle's cron deletes after four days: what they became is a row of its own.
 */
const KEPT_CONTENT = "filesize > 0 AND referencefileid IS NULL AND NOT (component = 'user' AND filearea = 'draft')";

function count_contents(): int {
    global $DB;
    return (int) $DB->count_records_sql('SELECT COUNT(DISTINCT contenthash) FROM {files} WHERE ' . KEPT_CONTENT);
}

function count_aliases(): int {
    global $DB;
    return $DB->count_records_select('files', 'referencefileid IS NOT NULL');
}

/**
 * All contents, or the newest half of so many and a random half.
 *
 * @return array<string, \stdClass> by content hash: `filesize`, `since`
 */
function contents_to_look_for(int $most, bool $all): array {
    global $DB;
    $select = 'SELECT contenthash, MAX(filesize) AS filesize, MIN(timecreated) AS since FROM {files} WHERE ' . KEPT_CONTENT;
    $newest = $DB->get_records_sql("$select GROUP BY contenthash ORDER BY MAX(id) DESC", [], 0, $all ? $most : intdiv($most + 1, 2));
    if ($all) {
        return $newest;
    }
    // Content hashes are SHA-1: those above a random one are a random choice of all.
    return $newest + $DB->get_records_sql("$select AND contenthash > :from GROUP BY contenthash ORDER BY contenthash",
        ['from' => sha1(random_bytes(20))], 0, intdiv($most, 2));
}

/**
 * What of it is not in filedir, or has another size there. `newest`: the day on which the newest of them came to the site,
 * by which what was lost years ago is told from what was not copied.
 */
function lost_of(array $looked): array {
    global $CFG;
    $lost = ['missing' => [], 'wrong size' => []];
    foreach ($looked as $hash => $content) {
        $actual = @filesize("$CFG->dataroot/filedir/" . substr($hash, 0, 2) . '/' . substr($hash, 2, 2) . "/$hash");
        if ($actual !== (int) $content->filesize) {
            $lost[$actual === false ? 'missing' : 'wrong size'][$hash] = (int) $content->since;
        }
    }
    $since = array_merge(...array_map(array_values(...), array_values($lost)));
    return ['missing' => count($lost['missing']), 'wrongSize' => count($lost['wrong size']),
        'newest' => $since === [] ? null : gmdate('Y-m-d', max($since)), 'examples' => examples_of($lost)];
}

/** Where Moodle uses some of them. Not their names, which may be a person's, and this goes to logs and messages. */
function examples_of(array $lost): array {
    global $DB;
    $examples = [];
    foreach ($lost as $problem => $hashes) {
        foreach (array_slice($hashes, 0, LOST_EXAMPLES - count($examples), true) as $hash => $since) {
            $rows = $DB->get_records_select('files', 'contenthash = :hash AND ' . KEPT_CONTENT, ['hash' => $hash], 'id', 'id, component, filearea', 0, 1);
            $row = reset($rows);
            $examples[] = ['contenthash' => $hash, 'problem' => $problem, 'component' => $row->component ?? '',
                'filearea' => $row->filearea ?? '', 'since' => gmdate('Y-m-d', $since)];
        }
    }
    return $examples;
}

/** Whether the key is there that settings are encrypted with (`\core\encryption`): without it Moodle cannot read them. */
function encryption_key(): string {
    global $DB;
    foreach (['config', 'config_plugins'] as $table) {
        if ($DB->record_exists_select($table, $DB->sql_like('value', ':start'), ['start' => 'sodium:%'])) {
            return is_file(\core\encryption::get_key_file('sodium')) ? 'there' : 'missing';
        }
    }
    return 'not needed';
}
