<?php
// Loads Moodle for a script of ours. Included outside any function, because Moodle's files expect that.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

define('CLI_SCRIPT', true);
$_SERVER['argv'] = array_slice($_SERVER['argv'], 0, 1);
require(required_setting('MOODLE_DIRROOT') . '/config.php');
require_once("$CFG->libdir/clilib.php");
// Moodle has put its own handler in place, which prints more than a log should hold.
fail_plainly();
