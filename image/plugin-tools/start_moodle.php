<?php
// Starts the Moodle of a code tree as its admin/cli/install.php starts it: without config.php and without a database, with
// an empty folder for what it writes. Included outside any function, because Moodle's files expect that. Needs $tree and
// $scratch; gives $dirroot, and the name of the class of Moodle's components in $component.

namespace moodle_lifecycle\plugins;

const STARTED_AS = ['CLI_SCRIPT' => true, 'MOODLE_INTERNAL' => true, 'CACHE_DISABLE_ALL' => true, 'PHPUNIT_TEST' => false,
    'IGNORE_COMPONENT_CACHE' => true, 'NO_OUTPUT_BUFFERING' => true];
array_map(define(...), array_keys(STARTED_AS), STARTED_AS);
$dirroot = is_file("$tree/public/version.php") ? "$tree/public" : $tree;
$CFG = new \stdClass();
$CFG->root = $tree;
$CFG->dirroot = $dirroot;
$CFG->libdir = "$dirroot/lib";
$CFG->admin = 'admin';
$CFG->wwwroot = 'http://localhost';
$CFG->lang = 'en';
$CFG->running_installer = true;
$CFG->early_install_lang = true;
$CFG->ostype = 'UNIX';
$CFG->dboptions = [];
$CFG->debug = $CFG->debugdisplay = 0;
$CFG->debugdeveloper = false;
$CFG->directorypermissions = 02770;
$CFG->filepermissions = 0660;
$CFG->umaskpermissions = 0007;
$CFG->dataroot = $scratch;
$CFG->tempdir = "$scratch/temp";
$CFG->backuptempdir = "$scratch/temp/backup";
$CFG->cachedir = "$scratch/cache";
$CFG->localcachedir = "$scratch/localcache";
$CFG->localrequestdir = "$scratch/request";
$CFG->siteidentifier = 'none';
ini_set('include_path', "$CFG->libdir/pear" . PATH_SEPARATOR . ini_get('include_path'));

require_once("$CFG->libdir/classes/component.php");
$component = class_exists('core\component', false) ? 'core\component' : 'core_component';
method_exists($component, 'register_autoloader') ? $component::register_autoloader()
    : spl_autoload_register([$component, 'classloader']);
foreach (['setuplib', 'weblib', 'dmllib', 'moodlelib', 'datalib', 'accesslib', 'deprecatedlib', 'adminlib', 'clilib', 'installlib',
        'ddllib', 'upgradelib', 'environmentlib', 'componentlib.class'] as $library) {
    require_once("$CFG->libdir/$library.php");
}
// Up to 4.4 the caches' classes are not found by their names.
foreach (['lib', 'locallib'] as $library) {
    if (is_file("$dirroot/cache/$library.php")) {
        require_once("$dirroot/cache/$library.php");
    }
}

$version = $release = $branch = null;
require("$dirroot/version.php");
[$CFG->version, $CFG->branch, $CFG->release] = [$version, $branch, $release];
