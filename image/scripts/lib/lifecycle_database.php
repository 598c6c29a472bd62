<?php
// The scripts' own connection to the site's database: Moodle cannot be asked while its tables are missing. Everything
// that differs between PostgreSQL and MySQL/MariaDB is in this class. Names like `moodle_lifecycle.install_marker` are
// a table of a schema on PostgreSQL, and of a database beside Moodle's on MySQL.

namespace moodle_lifecycle;

require_once(__DIR__ . '/database_login.php');
require_once(__DIR__ . '/node.php');

final class lifecycle_database {
    /** There a lock is the whole server's, and has at most 64 characters. */
    private const MYSQL_LOCK = "CONCAT('moodle_lifecycle.install ', LEFT(DATABASE(), 39))";

    private function __construct(private readonly \PDO $pdo, private readonly bool $postgres) {
    }

    /**
     * Connects, and waits for a database that is paused or restarting: MOODLE_DATABASE_WAIT_SECONDS, default 120.
     *
     * @throws node_problem when it cannot be reached in that time
     */
    public static function connect(): self {
        $wait = (int) setting('MOODLE_DATABASE_WAIT_SECONDS', '120');
        $deadline = time() + $wait;
        for ($pause = 1; ; $pause = min(2 * $pause, 10)) {
            try {
                return self::connect_once();
            } catch (\PDOException $problem) {
                $reason = self::without_newlines($problem->getMessage());
                if (time() + $pause > $deadline) {
                    throw new node_problem("The database cannot be reached: $reason. Tried for $wait s. Nothing was done.");
                }
                say("the database does not answer yet, trying again in $pause s: $reason");
                sleep($pause);
            }
        }
    }

    /**
     * One attempt, bounded by a short time-out.
     *
     * @throws \PDOException
     */
    public static function connect_once(): self {
        try {
            return self::connect_as(database_login());
        } catch (\PDOException $problem) {
            if (self::is_refusal($problem)) {
                ask_for_database_login();
            }
            throw $problem;
        }
    }

    /** Whether the database does not accept this user and password. One that cannot be reached refuses nobody. */
    public static function refuses(array $login): bool {
        try {
            self::connect_as($login);
            return false;
        } catch (\PDOException $problem) {
            return self::is_refusal($problem);
        }
    }

    /** PDO has no code of its own for it on PostgreSQL. */
    private static function is_refusal(\PDOException $problem): bool {
        return preg_match('/password authentication failed|Access denied for user/', $problem->getMessage()) === 1;
    }

    /** @throws \PDOException */
    private static function connect_as(array $login): self {
        ['user' => $user, 'password' => $password] = $login;
        $type = required_setting('MOODLE_DATABASE_TYPE');
        $host = required_setting('MOODLE_DATABASE_HOST');
        $name = required_setting('MOODLE_DATABASE_NAME');
        $sslmode = setting('MOODLE_DATABASE_SSLMODE', 'require');
        $options = [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION, \PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_ASSOC,
            \PDO::ATTR_TIMEOUT => 5];
        switch ($type) {
            case 'pgsql':
                $port = setting('MOODLE_DATABASE_PORT', '5432');
                $dsn = "pgsql:host=$host;port=$port;dbname=$name;sslmode=$sslmode"
                    . ($sslmode === 'verify-full' ? ';sslrootcert=' . authorities_file() : '');
                return new self(new \PDO($dsn, $user, $password, $options), true);
            case 'mysqli':
            case 'mariadb':
            case 'auroramysql':
                $port = setting('MOODLE_DATABASE_PORT', '3306');
                // As on PostgreSQL: a row that is written with the values that it has counts as written.
                $options[\PDO::MYSQL_ATTR_FOUND_ROWS] = true;
                // The lifecycle keeps its times in UTC.
                $options[\PDO::MYSQL_ATTR_INIT_COMMAND] = "SET time_zone = '+00:00'";
                if ($sslmode !== 'disable') {
                    $options[\PDO::MYSQL_ATTR_SSL_CA] = authorities_file();
                    $options[\PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT] = $sslmode === 'verify-full';
                }
                return new self(new \PDO("mysql:host=$host;port=$port;dbname=$name;charset=utf8mb4", $user, $password, $options), false);
            default:
                throw new node_problem("MOODLE_DATABASE_TYPE is pgsql, mysqli, mariadb or auroramysql, not “{$type}”.");
        }
    }

    /** First row of a query, or null. */
    public function one(string $sql, array $parameters = []): ?array {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($parameters);
        return $statement->fetch() ?: null;
    }

    /** All rows of a query. */
    public function all(string $sql, array $parameters = []): array {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($parameters);
        return $statement->fetchAll();
    }

    /** Number of rows that a statement changed. */
    public function run(string $sql, array $parameters = []): int {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($parameters);
        return $statement->rowCount();
    }

    /** Runs queries that must see one and the same state of the database. */
    public function at_one_moment(callable $queries): mixed {
        if ($this->postgres) {
            $this->pdo->exec('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        } else {
            $this->pdo->exec('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
        }
        try {
            return $queries();
        } finally {
            $this->pdo->exec('COMMIT');
        }
    }

    /** Takes the lock that one installing node holds as long as this connection lives; false when another has it. */
    public function try_install_lock(): bool {
        $row = $this->postgres
            ? $this->one("SELECT pg_try_advisory_lock(hashtext('moodle_lifecycle.install'))::int AS taken")
            : $this->one('SELECT GET_LOCK(' . self::MYSQL_LOCK . ', 0) AS taken');
        return (int) ($row['taken'] ?? 0) === 1;
    }

    public function release_install_lock(): void {
        $this->one($this->postgres
            ? "SELECT pg_advisory_unlock(hashtext('moodle_lifecycle.install'))"
            : 'SELECT RELEASE_LOCK(' . self::MYSQL_LOCK . ')');
    }

    /** Takes the lock that one process which changes Moodle's tables holds as long as this connection lives; false when another has it. */
    public function try_upgrade_lock(): bool {
        $row = $this->postgres
            ? $this->one("SELECT pg_try_advisory_lock(hashtext('moodle_lifecycle.upgrade'))::int AS taken")
            : $this->one("SELECT GET_LOCK(CONCAT('moodle_lifecycle.upgrade ', LEFT(DATABASE(), 39)), 0) AS taken");
        return (int) ($row['taken'] ?? 0) === 1;
    }

    /**
     * Whether any other connection to this database did something in the last half second. Moodle opens one for each request:
     * none that works is no request that works.
     */
    public function others_work(): bool {
        return $this->one($this->postgres
            ? "SELECT 1 AS there FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend' AND (state <> 'idle' OR state_change > clock_timestamp() - interval '0.5 second') LIMIT 1"
            : "SELECT 1 AS there FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()
                AND (command <> 'Sleep' OR time < 1) LIMIT 1") !== null;
    }

    /** SQL for a time of the lifecycle's tables as seconds since 1970, to the microsecond. */
    public function seconds(string $time): string {
        return $this->postgres
            ? "CAST(EXTRACT(EPOCH FROM $time) AS double precision)"
            : "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', $time) / 1e6";
    }

    /** Now, by the clock of the database. */
    public function clock(): float {
        return (float) $this->one('SELECT ' . $this->seconds('CURRENT_TIMESTAMP(6)') . ' AS clock')['clock'];
    }

    /** Whether the lifecycle's tables are there, up to this one. They are made by the rollout, never by a node. */
    public function has_lifecycle_tables(string $table = 'install_marker'): bool {
        return $this->one("SELECT 1 AS there FROM information_schema.tables
            WHERE table_schema = 'moodle_lifecycle' AND table_name = ?", [$table]) !== null;
    }

    /** Names of the tables that begin with Moodle's prefix, in Moodle's own schema. */
    public function moodle_tables(string $prefix): array {
        $schema = $this->postgres ? 'current_schema()' : 'DATABASE()';
        $length = mb_strlen($prefix);
        return array_column($this->all("SELECT table_name AS name FROM information_schema.tables
            WHERE table_schema = $schema AND LEFT(table_name, $length) = ? ORDER BY table_name", [$prefix]), 'name');
    }

    /**
     * Moodles in this database that are not the one with this prefix in Moodle's own schema, in words. By four tables that
     * every release has.
     *
     * @return string[]
     */
    public function other_moodles(string $prefix): array {
        $here = $this->postgres ? 'current_schema()' : 'DATABASE()';
        $where = $this->postgres ? "table_schema NOT IN ('pg_catalog', 'information_schema', 'moodle_lifecycle')" : "table_schema = $here";
        $found = [];
        foreach (['config', 'config_plugins', 'user', 'course'] as $table) {
            // In its last letters, counted, because _ in LIKE stands for any letter.
            $length = strlen($table);
            $rows = $this->all("SELECT table_schema AS place, table_name AS name, table_schema = $here AS here FROM information_schema.tables
                WHERE $where AND RIGHT(table_name, $length) = ? AND table_type = 'BASE TABLE'", [$table]);
            $these = [];
            foreach ($rows as $row) {
                $of = substr($row['name'], 0, -$length);
                if (!$row['here'] || $of !== $prefix) {
                    $these[] = ($of === '' ? 'tables without a prefix' : "tables that begin with $of") . ($row['here'] ? '' : ", in the schema {$row['place']}");
                }
            }
            $found[] = $these;
        }
        return array_values(array_intersect(...$found));
    }

    /**
     * Collation of Moodle's texts, null on PostgreSQL, which needs none. That of its users first: nearly every temporary table
     * of Moodle is joined with them. Before there are tables it is that of the database, as Moodle itself does it
     * (mysqli_native_moodle_database::detect_collation), unless Moodle's check of the environment would refuse that one
     * (setup_is_unicodedb): MariaDB lists its collations of UCA 14 without a character set.
     */
    public function text_collation(string $prefix): ?string {
        if ($this->postgres) {
            return null;
        }
        $ofcolumn = 'SELECT collation_name AS name FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?';
        $name = $this->one($ofcolumn, ["{$prefix}user", 'username'])['name'] ?? $this->one($ofcolumn, ["{$prefix}config", 'value'])['name'] ?? null;
        if ($name !== null) {
            return $name;
        }
        $name = $this->one('SELECT @@collation_database AS name')['name'];
        return $this->one("SHOW COLLATION WHERE Charset = 'utf8mb4' AND Collation = ?", [$name]) === null ? 'utf8mb4_unicode_ci' : $name;
    }

    /** Number of rows, counted no further than `$most`. */
    public function count_rows(string $table, int $most): int {
        $row = $this->one('SELECT COUNT(*) AS n FROM (SELECT 1 AS x FROM ' . $this->quoted($table) . ' LIMIT ' . ($most + 1) . ') few');
        return (int) ($row['n'] ?? 0);
    }

    /** Value of one row of Moodle's config table, null when there is none. */
    public function moodle_config(string $prefix, string $name): ?string {
        return $this->one('SELECT value FROM ' . $this->quoted("{$prefix}config") . ' WHERE name = ?', [$name])['value'] ?? null;
    }

    /**
     * Drops tables with their sequences and constraints. Not in one transaction: each of Moodle's 500 tables takes
     * several locks, more than PostgreSQL's lock table must be expected to hold.
     */
    public function drop_tables(array $tables): void {
        if (!$this->postgres) {
            $this->pdo->exec('SET FOREIGN_KEY_CHECKS = 0');
        }
        foreach ($tables as $table) {
            $this->pdo->exec('DROP TABLE IF EXISTS ' . $this->quoted($table) . ($this->postgres ? ' CASCADE' : ''));
        }
    }

    /** Writes what this node says of itself about one subject; `$value` is stored as JSON. */
    public function acknowledge(string $subject, array $value): void {
        $json = json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        $insert = 'INSERT INTO moodle_lifecycle.node_acknowledgement (site, node, subject, value, acknowledged_at)';
        $this->run($this->postgres
            ? "$insert VALUES (:site, :node, :subject, CAST(:value AS jsonb), CURRENT_TIMESTAMP)
                ON CONFLICT (site, node, subject) DO UPDATE SET value = EXCLUDED.value, acknowledged_at = EXCLUDED.acknowledged_at"
            : "$insert VALUES (:site, :node, :subject, :value, CURRENT_TIMESTAMP(6))
                ON DUPLICATE KEY UPDATE value = VALUES(value), acknowledged_at = VALUES(acknowledged_at)",
            ['site' => site(), 'node' => node(), 'subject' => $subject, 'value' => $json]);
    }

    /** SQL for a timestamp column as seconds since 1970. */
    public function epoch(string $column): string {
        return $this->postgres ? "CAST(EXTRACT(EPOCH FROM $column) AS bigint)" : "UNIX_TIMESTAMP($column)";
    }

    private function quoted(string $name): string {
        return $this->postgres ? '"' . str_replace('"', '""', $name) . '"' : '`' . str_replace('`', '``', $name) . '`';
    }

    private static function without_newlines(string $text): string {
        return trim((string) preg_replace('/\s+/', ' ', $text));
    }
}
