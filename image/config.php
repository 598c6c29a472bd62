<?php
// Moodle's configuration. This file is the same for every site, node and Moodle version: whatever differs comes from
// the environment. It is copied to the root of Moodle's code by `assemble-code`.
//
// Cache stores are not set here (Moodle reads them only from its cache configuration file, which the node writes before
// it serves), and neither is anything that an administrator should be able to change in Moodle.

unset($CFG);
global $CFG;
$CFG = new stdClass();

(static function (stdClass $cfg): void {
    $stop = static function (string $problem): never {
        error_log("moodle-node: $problem");
        if (PHP_SAPI !== 'cli') {
            http_response_code(500);
        }
        exit(1);
    };
    $setting = static function (string $name, ?string $default = null) use ($stop): string {
        $value = getenv($name);
        if ($value !== false && $value !== '') {
            return $value;
        }
        return $default ?? $stop("config.php: the environment variable $name is missing. Nothing was started.");
    };

    $local = $setting('MOODLE_LOCAL');
    $scripts = $setting('MOODLE_NODE_SCRIPTS');
    $site = $setting('MOODLE_SITE');

    // Database.
    $cfg->dbtype = $setting('MOODLE_DATABASE_TYPE');
    $cfg->dblibrary = 'native';
    $cfg->dbhost = $setting('MOODLE_DATABASE_HOST');
    $cfg->dbname = $setting('MOODLE_DATABASE_NAME');
    require_once("$scripts/scripts/lib/database_login.php");
    require_once("$scripts/scripts/lib/collation_option.php");
    ['user' => $cfg->dbuser, 'password' => $cfg->dbpass] = \moodle_lifecycle\database_login();
    if ($cfg->dbuser === '' || $cfg->dbpass === '') {
        $stop('config.php: the environment variable MOODLE_DATABASE_USER or MOODLE_DATABASE_PASSWORD is missing. Nothing was started.');
    }
    // Moodle has set dbfamily only when it could connect. When it could not, the password may have been rotated.
    register_shutdown_function(static function () use ($cfg): void {
        if (isset($GLOBALS['DB']) && !isset($cfg->dbfamily)) {
            \moodle_lifecycle\ask_for_database_login();
        }
    });
    $cfg->prefix = $setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $sslmode = $setting('MOODLE_DATABASE_SSLMODE', 'require');
    $cfg->dboptions = match ($cfg->dbtype) {
        'pgsql' => ['dbport' => $setting('MOODLE_DATABASE_PORT', '5432'), 'connecttimeout' => 10, 'ssl' => $sslmode],
        'mysqli', 'mariadb', 'auroramysql' => ['dbport' => $setting('MOODLE_DATABASE_PORT', '3306'),
            'connecttimeout' => 10] + \moodle_lifecycle\collation_option($local) + ($sslmode === 'disable' ? [] : ['ssl' => $sslmode]),
        default => $stop("config.php: MOODLE_DATABASE_TYPE is pgsql, mysqli, mariadb or auroramysql, not “{$cfg->dbtype}”."),
    };

    // Moodle has no setting for it. With “require”, PostgreSQL's client would take it for an order to verify. Here and not
    // in the entrypoint, because a command in a shell of ECS Exec knows nothing of what that exports.
    if ($sslmode === 'verify-full' && getenv('PGSSLROOTCERT') === false) {
        require_once("$scripts/scripts/lib/trust.php");
        putenv('PGSSLROOTCERT=' . \moodle_lifecycle\authorities_file());
    }

    // Address. `reverseproxy` stays off: with the Host header preserved, as a load balancer does, it gives HTTP 500.
    // `sslproxy` with an http address gives a redirect loop.
    // In lower case, because Moodle compares it byte for byte with the Host header, which browsers send so; the name of a
    // load balancer may have capitals.
    $cfg->wwwroot = strtolower($setting('MOODLE_WWWROOT'));
    $cfg->sslproxy = str_starts_with($cfg->wwwroot, 'https://');
    $cfg->routerconfigured = true;
    // 1: ignore Client-IP (anyone can send it); use the last X-Forwarded-For entry that is not one of our own proxies.
    $cfg->getremoteaddrconf = 1;
    $cfg->reverseproxyignore = $setting('MOODLE_REVERSEPROXYIGNORE', '');

    // Files: shared by all nodes …
    $cfg->dataroot = $setting('MOODLE_DATAROOT');
    $cfg->tempdir = "$cfg->dataroot/temp";
    $cfg->cachedir = $setting('MOODLE_CACHEDIR', "$cfg->dataroot/cache");
    $cfg->directorypermissions = 02770;
    // … and on this node's own disk. The last two lie outside localcachedir because Moodle empties that one.
    $cfg->localcachedir = "$local/localcache";
    $cfg->localrequestdir = "$local/request";
    $cfg->altcacheconfigpath = "$local/cache-configuration";
    $cfg->alternative_component_cache = "$local/component-cache/core_component.php";
    // nginx sends stored files, so that no PHP worker is held for the length of a download.
    $cfg->xsendfile = 'X-Accel-Redirect';
    $cfg->xsendfilealiases = ['/x-dataroot/' => $cfg->dataroot, '/x-localcache/' => $cfg->localcachedir];

    // Code changes only by a new image.
    $cfg->disableupdateautodeploy = true;
    $cfg->preventexecpath = true;
    require_once("$scripts/scripts/lib/programs.php");
    \moodle_lifecycle\set_program_paths($cfg);
    $cfg->upgradekey = $setting('MOODLE_UPGRADE_KEY');
    $cfg->admin = 'admin';

    // The tasks of a rollout say what code and database are like, and no switch of the administration comes between: the IP
    // blocker ends a request that comes from the node itself, messages for developers mix with what a task prints, and
    // maintenance that is planned and due would begin unseen, or be taken for begun, where it is for visitors (lib/setup.php).
    if (getenv('MOODLE_TASK') === 'yes') {
        $cfg->allowedip = $cfg->blockedip = '';
        $cfg->debugdisplay = 0;
        $cfg->maintenance_later = null;
    }

    // Sessions. Class names in single quotes: "\r" in double quotes is a carriage return.
    $store = $setting('MOODLE_SESSION_STORE', 'database');
    $endpoint = $store === 'database' ? '' : $setting('MOODLE_SESSION_STORE_ENDPOINT');
    $locktimeout = 120;
    // A lock left by a killed worker frees itself before the next request of that user gives up waiting.
    $lockexpire = 110;
    $prefix = "$site:sessions:";
    switch ($store) {
        case 'database':
            $cfg->session_handler_class = '\core\session\database';
            $cfg->session_database_acquire_lock_timeout = $locktimeout;
            break;
        case 'redis':
            require_once("$scripts/scripts/lib/trust.php");
            $cfg->session_handler_class = '\core\session\redis';
            [$host, $cfg->session_redis_port] = explode(':', $endpoint) + [1 => '6379'];
            // Moodle takes more than one host for a cluster. All of a serverless cache has one name: so that name twice.
            $cfg->session_redis_host = match ($setting('MOODLE_SESSION_STORE_TOPOLOGY', 'single')) {
                'single' => $host,
                'cluster' => "$host,$host",
                default => $stop('config.php: MOODLE_SESSION_STORE_TOPOLOGY is single or cluster.'),
            };
            $cfg->session_redis_auth = $setting('MOODLE_SESSION_STORE_PASSWORD');
            // Only a non-empty array turns TLS on; `true` fails, and `tls://` before the host breaks 4.5 and newer.
            $cfg->session_redis_encrypt = \moodle_lifecycle\tls_options();
            $cfg->session_redis_prefix = $prefix;
            $cfg->session_redis_acquire_lock_timeout = $locktimeout;
            $cfg->session_redis_lock_expire = $lockexpire;
            // The name that Moodle reads; config-dist.php's `session_redis_lock_retry` is not.
            $cfg->session_redis_acquire_lock_retry = 100;
            break;
        case 'memcached':
            $cfg->session_handler_class = '\core\session\memcached';
            $cfg->session_memcached_save_path = $endpoint;
            $cfg->session_memcached_prefix = $prefix;
            $cfg->session_memcached_acquire_lock_timeout = $locktimeout;
            $cfg->session_memcached_lock_expire = $lockexpire;
            break;
        default:
            $stop("config.php: MOODLE_SESSION_STORE is database, redis or memcached, not “{$store}”.");
    }

    // While sessions move from one store to another, a handler of ours fetches each one when its user comes by.
    $until = (int) $setting('MOODLE_SESSION_MIGRATION_UNTIL', '0');
    if ($until > time()) {
        $cfg->session_handler_class = '\moodle_lifecycle\session\moving_' . $store;
        spl_autoload_register(static function (string $class) use ($scripts, $cfg): void {
            if (ltrim($cfg->session_handler_class, '\\') === $class) {
                require_once("$scripts/scripts/session/" . substr((string) strrchr($class, '\\'), 1) . '.php');
            }
        });
    }
})($CFG);

// From 5.1 on, Moodle's web root and libraries lie in public/.
require_once(is_file(__DIR__ . '/public/lib/setup.php') ? __DIR__ . '/public/lib/setup.php' : __DIR__ . '/lib/setup.php');
