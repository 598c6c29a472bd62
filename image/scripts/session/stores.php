<?php
// Where login sessions live, in the layouts of Moodle's own handlers, so that they can be carried from one store to
// another. Needs a bootstrapped Moodle ($CFG, $DB).
//
// Up to 4.4 every handler keeps a session's record in the table `sessions` and only its data elsewhere. From 4.5 on the
// Redis handler keeps both in Redis; database and Memcached are as before.

namespace moodle_lifecycle\session;

use moodle_lifecycle\node_problem;
use function moodle_lifecycle\{connect_memcached, connect_redis_of, keys_of, required_setting, site};

require_once(__DIR__ . '/../lib/redis_connection.php');

/** Of a value in Redis (proto-max-bulk-len), with room for what serialising adds. */
const LARGEST_REDIS_VALUE_BYTES = 512 * 1024 * 1024 - 1024;

/** First branch whose Redis handler keeps records in hashes. */
const HASHES_SINCE = 405;

/** Times in seconds since 1970; `$data` as PHP's session encoder wrote it. */
final class session_record {
    public function __construct(
        public readonly string $sid,
        public readonly int $userid,
        public readonly string $data,
        public readonly int $timecreated,
        public readonly int $timemodified,
        public readonly string $firstip,
        public readonly string $lastip,
    ) {
    }

    /** Whether Moodle would still accept it; guests and visitors never time out, their store forgets them. */
    public function is_live(): bool {
        global $CFG;
        return $this->userid === 0 || $this->userid === (int) $CFG->siteguest
            || $this->timemodified >= time() - (int) $CFG->sessiontimeout;
    }
}

interface store {
    /** @return string[] ids of sessions that may have data here */
    public function sids(): array;

    /** @return string[] the same of one user */
    public function sids_of_user(int $userid): array;

    /** The session with its data, null when this store holds no data of it. */
    public function read(string $sid): ?session_record;

    /** @throws session_too_large with nothing written */
    public function write(session_record $session): void;

    /** Forgets the session's data here. */
    public function remove(string $sid): void;

    /** Runs work while no request has this session open, by the lock of Moodle's handler. @throws session_busy */
    public function exclusively(string $sid, int $seconds, callable $work): mixed;
}

/** A request kept the session locked for the whole time. */
final class session_busy extends \RuntimeException {
}

/** The store takes no data of that size, however often it is given it. */
final class session_too_large extends \RuntimeException {
}

/** @throws node_problem for an unknown name or an unreachable store */
function open_store(string $name): store {
    global $CFG;
    $code = ['branch' => (int) $CFG->branch];
    $prefix = site() . ':sessions:';
    return match ($name) {
        'database' => new database_store(),
        'redis' => $code['branch'] >= HASHES_SINCE
            ? new redis_hash_store(connect_redis_of('SESSION'), $prefix)
            : new redis_string_store(connect_redis_of('SESSION'), $prefix),
        'memcached' => new memcached_store(connect_memcached(required_setting('MOODLE_SESSION_STORE_ENDPOINT')), $prefix),
        default => throw new node_problem("A session store is database, redis or memcached, not “{$name}”. Nothing was copied."),
    };
}

/** Seconds that Moodle's Redis handlers keep a session after its last use, which may be one that is to come. */
function lifetime(session_record $session): int {
    global $CFG;
    if ($session->userid === (int) $CFG->siteguest) {
        return 5 * (int) $CFG->sessiontimeout;
    }
    $ahead = max(0, $session->timemodified - time());
    return $ahead + (int) $CFG->sessiontimeout + (int) ($CFG->session_update_timemodified_frequency ?? 20) + 60;
}

/** The table `sessions`. */
final class database_store implements store {
    /** Bytes of a statement beside a session's data. */
    private const ROOM_FOR_THE_REST = 4096;
    private ?int $largest = null;

    public function sids(): array {
        global $DB;
        return $DB->get_fieldset_select('sessions', 'sid', 'sessdata IS NOT NULL');
    }

    public function sids_of_user(int $userid): array {
        global $DB;
        return $DB->get_fieldset_select('sessions', 'sid', 'sessdata IS NOT NULL AND userid = ?', [$userid]);
    }

    public function read(string $sid): ?session_record {
        $row = session_row($sid);
        if ($row === null || ($row->sessdata ?? '') === '') {
            return null;
        }
        return record_of_row($row, (string) base64_decode($row->sessdata));
    }

    public function write(session_record $session): void {
        $data = base64_encode($session->data);
        if (strlen($data) > $this->largest_statement() - self::ROOM_FOR_THE_REST) {
            throw new session_too_large();
        }
        upsert_session_row($session, ['sessdata' => $data]);
    }

    /** MySQL and MariaDB hang up on whoever sends more at once. */
    private function largest_statement(): int {
        global $DB;
        return $this->largest ??= $DB->get_dbfamily() === 'mysql'
            ? (int) $DB->get_field_sql('SELECT @@max_allowed_packet') : PHP_INT_MAX;
    }

    public function remove(string $sid): void {
        global $DB;
        $DB->set_field('sessions', 'sessdata', null, ['sid' => $sid]);
    }

    public function exclusively(string $sid, int $seconds, callable $work): mixed {
        global $DB;
        $id = $DB->get_field('sessions', 'id', ['sid' => $sid]);
        if ($id === false) {
            return $work();
        }
        try {
            $DB->get_session_lock($id, $seconds);
        } catch (\dml_sessionwait_exception) {
            throw new session_busy();
        }
        try {
            // One transaction: the data is emptied here only if the other store has taken it.
            $transaction = $DB->start_delegated_transaction();
            $DB->get_record_sql('SELECT id FROM {sessions} WHERE id = ? FOR UPDATE', [$id]);
            $answer = $work();
            $transaction->allow_commit();
            return $answer;
        } catch (\Throwable $problem) {
            $DB->force_transaction_rollback();
            throw $problem;
        } finally {
            $DB->release_session_lock($id);
        }
    }
}

/** Redis as Moodle up to 4.4 uses it: one string per session, `<prefix><sid>`, serialised once more by phpredis. */
final class redis_string_store implements store {
    public function __construct(private readonly \Redis|\RedisCluster $redis, private readonly string $prefix) {
    }

    public function sids(): array {
        return all_session_rows();
    }

    public function sids_of_user(int $userid): array {
        return session_rows_of_user($userid);
    }

    public function read(string $sid): ?session_record {
        $value = $this->redis->get($this->prefix . $sid);
        $data = is_string($value) ? unserialize($value, ['allowed_classes' => false]) : false;
        $row = is_string($data) && $data !== '' ? session_row($sid) : null;
        return $row === null ? null : record_of_row($row, $data);
    }

    public function write(session_record $session): void {
        stop_above_redis_limit($session);
        upsert_session_row($session);
        $this->redis->setex($this->prefix . $session->sid, lifetime($session), serialize($session->data));
    }

    public function remove(string $sid): void {
        $this->redis->del($this->prefix . $sid);
    }

    public function exclusively(string $sid, int $seconds, callable $work): mixed {
        return with_redis_lock($this->redis, "$this->prefix$sid.lock", $seconds, $work);
    }
}

/** Redis as Moodle 4.5 and newer uses it: hashes `<prefix>session_<sid>` and `<prefix>user_<userid>`. */
final class redis_hash_store implements store {
    public function __construct(private readonly \Redis|\RedisCluster $redis, private readonly string $prefix) {
    }

    public function sids(): array {
        $start = "{$this->prefix}session_";
        $keys = array_filter(keys_of($this->redis, addcslashes($start, '*?[]\\') . '*'), static fn($key) => !str_ends_with($key, '.lock'));
        return array_values(array_map(static fn($key) => substr($key, strlen($start)), $keys));
    }

    public function sids_of_user(int $userid): array {
        return array_map(strval(...), array_keys($this->redis->hGetAll("{$this->prefix}user_$userid") ?: []));
    }

    public function read(string $sid): ?session_record {
        $fields = [];
        foreach ($this->redis->hGetAll("{$this->prefix}session_$sid") ?: [] as $name => $value) {
            $fields[$name] = unserialize($value, ['allowed_classes' => false]);
        }
        if (!is_string($fields['sessdata'] ?? null) || $fields['sessdata'] === '') {
            return null;
        }
        return new session_record($sid, (int) ($fields['userid'] ?? 0), $fields['sessdata'], (int) ($fields['timecreated'] ?? time()),
            (int) ($fields['timemodified'] ?? time()), (string) ($fields['firstip'] ?? ''), (string) ($fields['lastip'] ?? ''));
    }

    public function write(session_record $session): void {
        stop_above_redis_limit($session);
        $lifetime = lifetime($session);
        $key = "{$this->prefix}session_$session->sid";
        $fields = ['id' => $session->sid, 'state' => '0', 'sid' => $session->sid, 'userid' => $session->userid,
            'sessdata' => $session->data, 'timecreated' => $session->timecreated, 'timemodified' => $session->timemodified,
            'firstip' => $session->firstip, 'lastip' => $session->lastip];
        $this->redis->hMSet($key, array_map(serialize(...), $fields));
        $this->redis->expire($key, $lifetime);
        if ($session->userid !== 0) {
            $this->redis->hSet("{$this->prefix}user_$session->userid", $session->sid, serialize($session->timecreated));
            $this->redis->expire("{$this->prefix}user_$session->userid", $lifetime);
        }
    }

    public function remove(string $sid): void {
        $key = "{$this->prefix}session_$sid";
        $userid = $this->redis->hGet($key, 'userid');
        if (is_string($userid)) {
            $this->redis->hDel("{$this->prefix}user_" . (int) unserialize($userid, ['allowed_classes' => false]), $sid);
        }
        $this->redis->del($key);
    }

    public function exclusively(string $sid, int $seconds, callable $work): mixed {
        return with_redis_lock($this->redis, "{$this->prefix}session_$sid.lock", $seconds, $work);
    }
}

/** Memcached as Moodle uses it: the raw data under `<prefix><sid>`, by PHP's own session handler. */
final class memcached_store implements store {
    /** What Moodle sets as session.gc_maxlifetime, which is how long that handler keeps data. */
    private const LIFETIME_SECONDS = 60 * 60 * 24 * 4;

    public function __construct(private readonly \Memcached $memcached, private readonly string $prefix) {
    }

    public function sids(): array {
        return all_session_rows();
    }

    public function sids_of_user(int $userid): array {
        return session_rows_of_user($userid);
    }

    public function read(string $sid): ?session_record {
        $data = $this->memcached->get($this->prefix . $sid);
        $this->stop_unless(\Memcached::RES_SUCCESS, \Memcached::RES_NOTFOUND);
        $row = is_string($data) && $data !== '' ? session_row($sid) : null;
        return $row === null ? null : record_of_row($row, $data);
    }

    public function write(session_record $session): void {
        $this->memcached->set($this->prefix . $session->sid, $session->data, self::LIFETIME_SECONDS);
        // 1 MB with its key, unless the server was started with another limit.
        if ($this->memcached->getResultCode() === \Memcached::RES_E2BIG) {
            throw new session_too_large();
        }
        $this->stop_unless(\Memcached::RES_SUCCESS);
        upsert_session_row($session);
    }

    public function remove(string $sid): void {
        $this->memcached->delete($this->prefix . $sid);
        $this->stop_unless(\Memcached::RES_SUCCESS, \Memcached::RES_NOTFOUND);
    }

    public function exclusively(string $sid, int $seconds, callable $work): mixed {
        $lock = "{$this->prefix}lock.$sid";
        wait_for_lock(fn(): bool => $this->memcached->add($lock, '1', 60), $seconds);
        try {
            return $work();
        } finally {
            $this->memcached->delete($lock);
        }
    }

    private function stop_unless(int ...$results): void {
        if (!in_array($this->memcached->getResultCode(), $results, true)) {
            throw new node_problem("Memcached failed: {$this->memcached->getResultMessage()}.");
        }
    }
}

/** @throws session_too_large */
function stop_above_redis_limit(session_record $session): void {
    if (strlen($session->data) > LARGEST_REDIS_VALUE_BYTES) {
        throw new session_too_large();
    }
}

function with_redis_lock(\Redis|\RedisCluster $redis, string $lock, int $seconds, callable $work): mixed {
    wait_for_lock(static fn(): bool => (bool) $redis->set($lock, 'moodle_lifecycle', ['nx', 'ex' => 60]), $seconds);
    try {
        return $work();
    } finally {
        $redis->del($lock);
    }
}

/** @throws session_busy */
function wait_for_lock(callable $take, int $seconds): void {
    $deadline = microtime(true) + $seconds;
    while (!$take()) {
        if (microtime(true) > $deadline) {
            throw new session_busy();
        }
        usleep(100_000);
    }
}

function session_row(string $sid): ?\stdClass {
    global $DB;
    return $DB->get_record('sessions', ['sid' => $sid]) ?: null;
}

function all_session_rows(): array {
    global $DB;
    return $DB->get_fieldset_select('sessions', 'sid', '1 = 1');
}

function session_rows_of_user(int $userid): array {
    global $DB;
    return $DB->get_fieldset_select('sessions', 'sid', 'userid = ?', [$userid]);
}

function record_of_row(\stdClass $row, string $data): session_record {
    return new session_record($row->sid, (int) $row->userid, $data, (int) $row->timecreated, (int) $row->timemodified,
        (string) $row->firstip, (string) $row->lastip);
}

/** Writes the session's record; its data in the table stays as it is unless `$more` gives another. */
function upsert_session_row(session_record $session, array $more = []): void {
    global $DB;
    $row = (object) ($more + ['state' => 0, 'sid' => $session->sid, 'userid' => $session->userid,
        'timecreated' => $session->timecreated, 'timemodified' => $session->timemodified,
        'firstip' => $session->firstip, 'lastip' => $session->lastip]);
    $id = $DB->get_field('sessions', 'id', ['sid' => $session->sid]);
    if ($id === false) {
        $DB->insert_record('sessions', $row);
    } else {
        $row->id = $id;
        $DB->update_record('sessions', $row);
    }
}
