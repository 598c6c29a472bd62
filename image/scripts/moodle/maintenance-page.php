<?php
// Prints the page that Moodle shows in maintenance, as JSON: {"page": "<html>"}. Moodle's own function writes it into the
// shared volume at once; here it writes into an empty folder instead, so that maintenance can begin later and at once.

namespace moodle_lifecycle;

define('CACHE_DISABLE_ALL', true);
define('NO_UPGRADE_CHECK', true);
require_once(__DIR__ . '/../lib/moodle.php');
require_once("$CFG->libdir/adminlib.php");

$shared = $CFG->dataroot;
$CFG->dataroot = make_request_directory();
// An administrator's own page.
if (is_file("$shared/climaintenance.template.html")) {
    copy("$shared/climaintenance.template.html", "$CFG->dataroot/climaintenance.template.html");
}
enable_cli_maintenance_mode();
$page = (string) file_get_contents("$CFG->dataroot/climaintenance.html");
$CFG->dataroot = $shared;
echo "\n", json_encode(['page' => $page], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
