<?php
// Prints what Moodle says about an upgrade of this database to this code, as one line of JSON. Changes nothing.
//
// The same questions in the same order as admin/cli/upgrade.php asks before it changes anything, so that they are
// answered before maintenance begins.

namespace moodle_lifecycle;

// As Moodle's own command: what is cached may be of the code before.
define('CACHE_DISABLE_ALL', true);
// A killed upgrade leaves a lock behind, which must not keep us from looking.
define('NO_UPGRADE_CHECK', true);
require_once(__DIR__ . '/../lib/moodle.php');
require_once("$CFG->libdir/adminlib.php");
require_once("$CFG->libdir/upgradelib.php");
require_once("$CFG->libdir/environmentlib.php");

$version = $release = $branch = null;
require("$CFG->dirroot/version.php");
$problems = [];
$plugins = [];

if ($version >= $CFG->version) {
    [$passed, $results] = check_moodle_environment(normalize_version($release), ENV_SELECT_RELEASE);
    if (!$passed) {
        foreach (environment_get_errors($results) as $error) {
            $problems[] = trim(html_entity_decode(strip_tags("$error[0] $error[1]")));
        }
    }
    if (upgrade_stale_php_files_present()) {
        $problems[] = 'files of an older Moodle lie in the code';
    }
    $failed = [];
    if (!\core_plugin_manager::instance()->all_plugins_ok($version, $failed, (int) $branch)) {
        $plugins = array_values(array_unique($failed));
        $problems[] = 'what these plugins require is not there: ' . implode(', ', $plugins);
    }
}
// Moodle before 4.4 cannot upgrade without maintenance.
$hashed = method_exists('\core_component', 'get_all_component_hash');
echo "\n", json_encode([
    'pending' => moodle_needs_upgrading(false),
    'maintenanceRequired' => !$hashed || \core_component::get_all_component_hash() !== ($CFG->allcomponenthash ?? ''),
    'problems' => $problems,
    'plugins' => $plugins,
], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
