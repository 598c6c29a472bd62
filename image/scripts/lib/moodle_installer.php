<?php
// Moodle's installation, by the same functions in the same order as admin/cli/install_database.php (unattended) and
// admin/index.php (finish in the browser). Not by running the former: it takes the administrator's password only from
// the process arguments, where everyone on the machine can read it.

namespace moodle_lifecycle\moodle_installer;

use function moodle_lifecycle\{required_setting, setting};

/**
 * Needs Moodle's libraries loaded and an empty database. Ends the process with an exit code other than 0 when Moodle
 * refuses (environment check, plugin dependencies, a failing statement).
 */
function install(string $finish): void {
    global $DB, $SCRIPT;
    // While roles do not work yet, Moodle allows everything to these two scripts alone, by name; without that no
    // setting would get its default value.
    $SCRIPT = $finish === 'browser' ? '/admin/index.php' : '/admin/cli/install_database.php';
    if ($DB->get_dbfamily() === 'postgres') {
        // The install is about 50,000 small transactions. Losing the last ones in a crash of the database costs
        // nothing: the marker is set after them, on another connection, and its commit waits for all before it.
        $DB->execute('SET synchronous_commit TO OFF');
    }
    prepare_language();
    check_environment();
    if ($finish === 'browser') {
        install_for_browser();
    } else {
        install_unattended();
    }
}

/** Installs with the site's language, and fetches its pack where that is not English. */
function prepare_language(): void {
    global $CFG;
    $CFG->early_install_lang = true;
    get_string_manager(true);
    raise_memory_limit(MEMORY_EXTRA);
    $lang = clean_param(setting('MOODLE_LANG', 'en'), PARAM_SAFEDIR);
    $CFG->lang = is_dir("$CFG->dirroot/install/lang/$lang") ? $lang : 'en';
    if ($CFG->lang !== 'en') {
        make_upload_directory('lang');
        foreach ((new \lang_installer($CFG->lang))->run() as $code => $status) {
            if ($status === \lang_installer::RESULT_DOWNLOADERROR) {
                \moodle_lifecycle\say("the language pack $code could not be downloaded; the site starts in English where it has no text");
            }
        }
    }
    $CFG->early_install_lang = false;
    get_string_manager(true);
}

function check_environment(): void {
    global $CFG;
    $version = $release = null;
    require("$CFG->dirroot/version.php");
    [$passed, $results] = check_moodle_environment(normalize_version($release), ENV_SELECT_RELEASE);
    if (!$passed) {
        $reasons = array_map(static fn(array $error): string => trim(strip_tags("$error[0] $error[1]")), environment_get_errors($results));
        throw new \moodle_lifecycle\node_problem('Moodle refuses this environment: ' . implode('; ', $reasons));
    }
    $failed = [];
    if (!\core_plugin_manager::instance()->all_plugins_ok($version, $failed)) {
        throw new \moodle_lifecycle\node_problem('Moodle refuses these plugins: ' . implode(', ', array_unique($failed)));
    }
}

function install_unattended(): void {
    global $CFG;
    install_cli_database([
        'lang' => $CFG->lang,
        'adminuser' => setting('MOODLE_ADMIN_USER', 'admin'),
        'adminpass' => required_setting('MOODLE_ADMIN_PASSWORD'),
        'adminemail' => required_setting('MOODLE_ADMIN_EMAIL'),
        'fullname' => required_setting('MOODLE_SITE_FULLNAME'),
        'shortname' => required_setting('MOODLE_SITE_SHORTNAME'),
        'summary' => '',
        'supportemail' => '',
    ], true);
    upgrade_themes();
}

/**
 * Leaves the site where Moodle's web installation stands before its last pages: the administrator has no password yet,
 * and lastip 0.0.0.0 lets nobody take the account over.
 */
function install_for_browser(): void {
    global $CFG;
    $CFG->version = $CFG->release = $CFG->branch = '';
    $version = $release = $branch = null;
    require("$CFG->dirroot/version.php");
    $CFG->target_release = $release;
    install_core($version, true);
    set_config('release', $release);
    set_config('branch', $branch);
    upgrade_noncore(true);
    set_config('rolesactive', 1);
    set_config('adminsetuppending', 1);
    set_config('registrationpending', 1);
    upgrade_finished();
    upgrade_themes();
}
