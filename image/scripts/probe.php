<?php
// probe session|application: proves that this node can use a store, as Moodle will: PHP's own client, TLS, AUTH, one
// key set, read and deleted.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/redis_connection.php');
fail_plainly();

/** @return string the server's name and version */
function probe_redis(string $use, string $endpoint, string $key): string {
    $redis = connect_redis_of($use);
    try {
        // In a cluster the word stands for any key: it asks the server that has it.
        $info = $redis->info('server');
        $redis->setex($key, 60, 'probe');
        $read = $redis->get($key);
        $redis->del($key);
    } catch (\RedisException | \RedisClusterException $problem) {
        throw new node_problem("Redis at $endpoint: " . in_plain_words($problem->getMessage()));
    }
    if ($read !== 'probe') {
        throw new node_problem("Redis at $endpoint did not give back what was written.");
    }
    return isset($info['valkey_version']) ? "valkey {$info['valkey_version']}" : "redis {$info['redis_version']}";
}

function probe_memcached(string $endpoint, string $key): string {
    $memcached = connect_memcached($endpoint);
    $memcached->set($key, 'probe', 60);
    if ($memcached->get($key) !== 'probe') {
        throw new node_problem("Memcached at $endpoint did not give back what was written: {$memcached->getResultMessage()}.");
    }
    $memcached->delete($key);
    if (!in_array('memcached', ini_get('session.save_handler') === false ? [] : spl_session_handlers(), true)) {
        throw new node_problem('PHP on this node has no memcached session handler.');
    }
    return 'memcached ' . implode(', ', array_unique($memcached->getVersion()));
}

/** Names of the session handlers that this PHP was built with. */
function spl_session_handlers(): array {
    ob_start();
    phpinfo(INFO_MODULES);
    preg_match('/Registered save handlers => (.*)/', (string) ob_get_clean(), $found);
    return explode(' ', trim($found[1] ?? ''));
}

$store = $argv[1] ?? '';
run_one_off('probe', static function () use ($store): array {
    if (!in_array($store, ['session', 'application'], true)) {
        throw new node_problem("The role is `probe session` or `probe application`, not “probe {$store}”.");
    }
    $use = strtoupper($store);
    $variable = "MOODLE_{$use}_STORE";
    $type = required_setting("{$variable}_TYPE");
    $endpoint = required_setting("{$variable}_ENDPOINT");
    $key = site() . ':probe:' . node();
    $started = hrtime(true);
    $server = match ($type) {
        'redis' => probe_redis($use, $endpoint, $key),
        'memcached' => probe_memcached($endpoint, $key),
        default => throw new node_problem("{$variable}_TYPE is redis or memcached, not “{$type}”."),
    };
    return ['store' => $store, 'server' => $server, 'milliseconds' => round((hrtime(true) - $started) / 1e6, 1)];
});
