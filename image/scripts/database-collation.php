<?php
// Says the collation of the site's texts; nothing on PostgreSQL.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/lifecycle_database.php');
fail_plainly();

echo lifecycle_database::connect()->text_collation(setting('MOODLE_DATABASE_PREFIX', 'mdl_'));
