<?php
// Connections to the session and application stores as Moodle makes them: PHP's own clients, Redis with TLS and AUTH, as
// one server or as a cluster.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

/** Host and port of an endpoint `host:port`. */
function host_and_port(string $endpoint): array {
    [$host, $port] = explode(':', $endpoint) + [1 => ''];
    if ($host === '' || !ctype_digit($port)) {
        throw new node_problem("The store's endpoint must be host:port, not “{$endpoint}”.");
    }
    return [$host, (int) $port];
}

/**
 * The store of a use that the platform gave this node: `SESSION` or `APPLICATION`.
 *
 * @throws node_problem in plain words: not reachable, certificate not trusted, password refused
 */
function connect_redis_of(string $use): \Redis|\RedisCluster {
    $endpoint = required_setting("MOODLE_{$use}_STORE_ENDPOINT");
    $password = required_setting("MOODLE_{$use}_STORE_PASSWORD");
    return is_cluster($use) ? connect_redis_cluster($endpoint, $password) : connect_redis($endpoint, $password);
}

/** Whether the keys of this store are spread over several servers, of which the client has to know. */
function is_cluster(string $use): bool {
    $topology = setting("MOODLE_{$use}_STORE_TOPOLOGY", 'single');
    return match ($topology) {
        'single' => false,
        'cluster' => true,
        default => throw new node_problem("MOODLE_{$use}_STORE_TOPOLOGY is single or cluster, not “{$topology}”."),
    };
}

function connect_redis_cluster(string $endpoint, string $password): \RedisCluster {
    host_and_port($endpoint);
    try {
        return with_warnings_as_problems(static function () use ($endpoint, $password): \RedisCluster {
            $redis = new \RedisCluster(null, [$endpoint], 3.0, 3.0, false, $password, tls_options());
            // Any key: it goes to the server that has it.
            $redis->ping('ping');
            return $redis;
        });
    } catch (\RedisClusterException | node_problem $problem) {
        throw new node_problem("Redis at $endpoint: " . in_plain_words($problem->getMessage()));
    }
}

/** @return string[] the keys that match, of all servers */
function keys_of(\Redis|\RedisCluster $redis, string $pattern): array {
    $redis->setOption(\Redis::OPT_SCAN, \Redis::SCAN_RETRY);
    $found = [];
    foreach ($redis instanceof \RedisCluster ? $redis->_masters() : [null] as $server) {
        $cursor = null;
        $scan = static function () use ($redis, $server, $pattern, &$cursor): array|false {
            return $server === null ? $redis->scan($cursor, $pattern, 500) : $redis->scan($cursor, $server, $pattern, 500);
        };
        while (($keys = $scan()) !== false) {
            $found += array_fill_keys($keys, true);
        }
    }
    return array_map(strval(...), array_keys($found));
}

function connect_redis(string $endpoint, string $password): \Redis {
    [$host, $port] = host_and_port($endpoint);
    $redis = new \Redis();
    try {
        return with_warnings_as_problems(static function () use ($redis, $host, $port, $password): \Redis {
            if (!$redis->connect("tls://$host", $port, 3.0, null, 100, 3.0, ['stream' => tls_options()])) {
                throw new node_problem('no connection');
            }
            if (!$redis->auth($password)) {
                throw new node_problem('the password was refused');
            }
            $redis->ping();
            return $redis;
        });
    } catch (\RedisException | node_problem $problem) {
        throw new node_problem("Redis at $endpoint: " . in_plain_words($problem->getMessage()));
    }
}

/** @throws node_problem when no such server answers */
function connect_memcached(string $endpoint): \Memcached {
    [$host, $port] = host_and_port($endpoint);
    $memcached = new \Memcached();
    $memcached->addServer($host, $port);
    $memcached->setOption(\Memcached::OPT_CONNECT_TIMEOUT, 3000);
    // PHP's session handler reads values without looking at the compression flag.
    $memcached->setOption(\Memcached::OPT_COMPRESSION, false);
    $versions = $memcached->getVersion();
    if (!is_array($versions) || in_array('255.255.255', $versions, true)) {
        throw new node_problem("Memcached at $endpoint does not answer: {$memcached->getResultMessage()}.");
    }
    return $memcached;
}

function in_plain_words(string $reason): string {
    $reason = trim((string) preg_replace('/\s+/', ' ', $reason));
    return match (true) {
        str_contains($reason, 'WRONGPASS'), str_contains($reason, 'invalid password'),
        str_contains($reason, 'invalid username-password') => 'the password was refused (WRONGPASS).',
        str_contains($reason, 'NOAUTH') => 'a password is needed and none was given (NOAUTH).',
        str_contains($reason, 'certificate verify failed') => 'its certificate is not trusted (certificate verify failed).',
        str_contains($reason, 'did not match expected CN'), str_contains($reason, 'Peer certificate') =>
            "its certificate is for another name ($reason).",
        str_contains($reason, 'Connection refused') => 'nobody listens there (connection refused).',
        str_contains($reason, 'SSL'), str_contains($reason, 'crypto') => "TLS failed ($reason).",
        default => rtrim($reason, '.') . '.',
    };
}
