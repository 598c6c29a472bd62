<?php
// The collation of a site's tables on MySQL and MariaDB, as this node has read it when it started. Tables that Moodle makes
// with another one, temporary ones too, cannot be joined with those that are there.

namespace moodle_lifecycle;

/**
 * Moodle's database option. Without it Moodle looks for the collation itself, with a query at every request: right as well,
 * and what happens in a shell where no node has been prepared.
 */
function collation_option(string $local): array {
    $collation = @file_get_contents("$local/run/database-collation");
    return is_string($collation) && preg_match('/^utf8[a-z0-9_]+$/', $collation) ? ['dbcollation' => $collation] : [];
}
