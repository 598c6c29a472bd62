<?php
// Everything of Moodle's code that the image relies on: a release that lacks one of these is not known here. A test looks
// for what the image's scripts use, and finds it here.

namespace moodle_lifecycle\plugins;

/** From the tree's root, in every release. */
const FILES_AT_THE_ROOT = [
    'admin/cli/alternative_component_cache.php',
    'admin/cli/cron.php',
    'admin/cli/install_database.php',
    'admin/cli/uninstall_plugins.php',
    'admin/cli/upgrade.php',
    'config-dist.php',
];

/** From the folder that a web server serves. */
const FILES_THAT_ARE_SERVED = [
    'admin/environment.xml',
    'admin/index.php',
    'index.php',
    'lib/adminlib.php',
    'lib/classes/component.php',
    'lib/classes/plugin_manager.php',
    'lib/clilib.php',
    'lib/componentlib.class.php',
    'lib/db/install.xml',
    'lib/environmentlib.php',
    'lib/installlib.php',
    'lib/setup.php',
    'lib/upgradelib.php',
    'login/index.php',
    'version.php',
];

/** From 5.1 on, the pages in public/ find our config.php at the root by this one. */
const FILE_THAT_LEADS_TO_CONFIG = 'public/config.php';

/** Any of those in one line will do: names of older and of newer releases. With the methods that are called. */
const CLASSES = [
    [['core_component'], ['get_all_versions_hash', 'get_plugin_types', 'get_plugin_directory']],
    [['core_plugin_manager'], ['instance', 'all_plugins_ok', 'get_plugin_info', 'other_plugins_that_require', 'can_uninstall_plugin']],
    [['core_cache\config_writer', 'cache_config_writer'], ['instance', 'add_store_instance', 'set_mode_mappings']],
    [['core_cache\helper', 'cache_helper'], ['update_site_identifier', 'purge_store']],
    [['core_cache\factory', 'cache_factory'], ['reset']],
    [['core\session\manager'], ['set_user']],
    [['core\session\database'], []],
    [['core\session\redis'], []],
    [['core\session\memcached'], []],
    [['context_system'], ['instance']],
    [['lang_installer'], ['run']],
];

const FUNCTIONS = ['check_moodle_environment', 'clean_param', 'enable_cli_maintenance_mode', 'environment_get_errors', 'get_admin',
    'get_site_identifier', 'get_string_manager', 'install_cli_database', 'install_core', 'make_request_directory',
    'make_upload_directory', 'make_writable_directory', 'moodle_needs_upgrading', 'normalize_version', 'purge_all_caches',
    'raise_memory_limit', 'remove_dir', 'set_config', 'upgrade_finished', 'upgrade_noncore', 'upgrade_stale_php_files_present',
    'upgrade_themes'];

const CONSTANTS = ['ENV_SELECT_RELEASE', 'MEMORY_EXTRA', 'PARAM_SAFEDIR', 'lang_installer::RESULT_DOWNLOADERROR'];

/** Moodle's own plugins that the image sets up. */
const PLUGINS = ['cachestore_redis', 'cachestore_file'];
