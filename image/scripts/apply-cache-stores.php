<?php
// Writes this node's cache configuration file, through Moodle's own API, from the wanted stores and mappings in the
// database. Leaves the hash of what was applied in run/cache-configuration-hash, empty when the database names no stores.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/lifecycle_database.php');
require_once(__DIR__ . '/lib/redis_connection.php');

$wanted = wanted_cache_configuration(lifecycle_database::connect());
$local = required_setting('MOODLE_LOCAL');
$file = "$local/cache-configuration/cacheconfig.php";
// For this one process cachedir is an empty local folder. Moodle guards the file with a lock in cachedir, which never
// yields once two nodes have wanted it, and which, left by a killed node, would stop every later one. And until the file
// is there, Moodle reads and fills its default stores in cachedir.
putenv("MOODLE_CACHEDIR=$local/cache-while-applying");
if (is_file($file)) {
    unlink($file);
}
require_once(__DIR__ . '/lib/moodle.php');
apply_cache_configuration($wanted);
if (!is_file($file)) {
    throw new node_problem("Moodle did not write its cache configuration to $file. This node does not serve.");
}
chmod($file, 0600);
empty_changed_stores($wanted);
file_put_contents("$local/run/cache-configuration-hash", $wanted['hash'] . "\n");

/** @return array{hash: string, stores: array, mappings: array<string, string[]>} rows as one moment saw them */
function wanted_cache_configuration(lifecycle_database $database): array {
    fail_plainly();
    if (!$database->has_lifecycle_tables()) {
        return ['hash' => '', 'stores' => [], 'mappings' => []];
    }
    return $database->at_one_moment(static function () use ($database): array {
        $site = [site()];
        $mappings = [];
        foreach ($database->all('SELECT mode, store FROM moodle_lifecycle.cache_mode_mapping WHERE site = ?', $site) as $row) {
            $mappings[$row['mode']][] = $row['store'];
        }
        return [
            'hash' => $database->one('SELECT hash FROM moodle_lifecycle.cache_configuration_hash WHERE site = ?', $site)['hash'] ?? '',
            'stores' => $database->all('SELECT name, plugin, endpoint, tls, prefix, secret_arn
                FROM moodle_lifecycle.cache_store WHERE site = ? ORDER BY name', $site),
            'mappings' => $mappings,
        ];
    });
}

/** @throws node_problem for a plugin, a mode or a secret that this node does not know */
function apply_cache_configuration(array $wanted): void {
    // Up to 4.4 the writer is in locallib.php under its old name; from 4.5 on that name is an alias.
    global $CFG;
    if (is_file("$CFG->dirroot/cache/locallib.php")) {
        require_once("$CFG->dirroot/cache/locallib.php");
    }
    // Part of every key. Left out, the first requests of every node would each write it into this file.
    $helper = class_exists('\core_cache\helper') ? '\core_cache\helper' : '\cache_helper';
    $helper::update_site_identifier(get_site_identifier());
    $writer = class_exists('\core_cache\config_writer') ? \core_cache\config_writer::instance() : \cache_config_writer::instance();
    foreach ($wanted['stores'] as $store) {
        $writer->add_store_instance($store['name'], $store['plugin'], store_configuration($store));
    }
    $modes = ['application' => 1, 'session' => 2, 'request' => 4];
    if ($unknown = array_diff_key($wanted['mappings'], $modes)) {
        throw new node_problem('cache_mode_mapping names an unknown mode: ' . implode(', ', array_keys($unknown)) . '. This node does not serve.');
    }
    if ($wanted['mappings'] !== []) {
        $mappings = [];
        foreach ($modes as $mode => $number) {
            $mappings[$number] = $wanted['mappings'][$mode] ?? ["default_$mode"];
        }
        $writer->set_mode_mappings($mappings);
    }
}

/** Configuration of one store in the form of its plugin. */
function store_configuration(array $store): array {
    return match ($store['plugin']) {
        'redis' => redis_configuration($store),
        'memcached' => memcached_configuration($store),
        default => throw new node_problem("cache_store {$store['name']} asks for the plugin “{$store['plugin']}”; this image "
            . 'knows redis and memcached. This node does not serve.'),
    };
}

/** In the form of cachestore_memcached, which is not part of Moodle. Purging a cache empties the whole server. */
function memcached_configuration(array $store): array {
    if (!\core_component::get_plugin_directory('cachestore', 'memcached')) {
        throw new node_problem("cache_store {$store['name']} asks for the plugin cachestore_memcached, which is not in this image. "
            . 'This node does not serve.');
    }
    return ['servers' => [host_and_port($store['endpoint'])], 'prefix' => $store['prefix']];
}

function redis_configuration(array $store): array {
    $use = ($store['secret_arn'] ?? '') === '' ? null : use_of($store);
    $tls = filter_var($store['tls'], FILTER_VALIDATE_BOOL);
    return [
        'server' => $store['endpoint'],
        'prefix' => $store['prefix'],
        'password' => $use === null ? '' : required_setting("MOODLE_{$use}_STORE_PASSWORD"),
        'serializer' => \Redis::SERIALIZER_PHP,
        'compressor' => 0,
        'encryption' => $tls,
        // Never empty: this plugin takes that for "do not verify".
        'cafile' => $tls ? authorities_file() : '',
        'connectiontimeout' => 3,
        'clustermode' => $use !== null && is_cluster($use),
    ];
}

/** The use whose store a row means: the one whose secret, which the row names, ECS gave this node beside its password. */
function use_of(array $store): string {
    foreach (['APPLICATION', 'SESSION'] as $use) {
        if (setting("MOODLE_{$use}_STORE_SECRET_ARN", '') === $store['secret_arn']) {
            return $use;
        }
    }
    throw new node_problem("cache_store {$store['name']} names the secret {$store['secret_arn']}, which this node was not given. "
        . 'This node does not serve.');
}

/**
 * Empties the mapped application stores when they are not the ones that the site used last: what they hold may be from
 * long ago. The last used hash lies on the shared volume.
 */
function empty_changed_stores(array $wanted): void {
    global $CFG;
    $file = "$CFG->dataroot/lifecycle/cache-configuration-hash";
    $last = is_file($file) ? trim((string) file_get_contents($file)) : null;
    if ($last === $wanted['hash']) {
        return;
    }
    if ($last !== null) {
        say('the cache stores changed; emptying the new ones');
        $factory = class_exists('\core_cache\factory') ? '\core_cache\factory' : '\cache_factory';
        $helper = class_exists('\core_cache\helper') ? '\core_cache\helper' : '\cache_helper';
        $factory::reset();
        foreach ($wanted['mappings']['application'] ?? ['default_application'] as $store) {
            if ($store === 'default_application') {
                // In the folder that this process does not have as its cachedir.
                remove_dir("$CFG->dataroot/cache/cachestore_file/$store", true);
            } else {
                $helper::purge_store($store);
            }
        }
    }
    make_writable_directory(dirname($file));
    file_put_contents("$file." . getmypid(), $wanted['hash'] . "\n");
    rename("$file." . getmypid(), $file);
}
