<?php
// The site's update that is under way, as its rollout wrote it down, and the moments that its tasks add to it. Everything
// a task writes carries the condition that the rollout still holds the site: one that was stopped changes nothing more.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lifecycle_database.php');

final class update_run {
    private function __construct(
        private readonly lifecycle_database $database,
        public readonly string $execution,
        public readonly ?float $maintenancesince,
        public readonly ?float $upgradestarted,
        public readonly ?float $upgradeended,
        public readonly ?float $maintenanceended,
    ) {
    }

    /**
     * The open update of this site, which must have come to its upgrade and hold the site.
     *
     * @throws node_problem when there is none; then nothing was done
     */
    public static function upgrading(lifecycle_database $database): self {
        $moments = implode(', ', array_map(
            static fn(string $column): string => $database->seconds("r.$column") . " AS $column",
            ['maintenance_since', 'upgrade_started_at', 'upgrade_ended_at', 'maintenance_ended_at']));
        $row = $database->one("SELECT r.execution, r.stage, h.execution AS holder, $moments
            FROM moodle_lifecycle.update_run r LEFT JOIN moodle_lifecycle.rollout_hold h ON h.site = r.site
            WHERE r.site = ? AND r.finished_at IS NULL", [site()]);
        $why = match (true) {
            $row === null => 'no update of this site is under way (moodle_lifecycle.update_run)',
            $row['stage'] !== 'upgrading' => "the update of this site is at “{$row['stage']}”, not at its upgrade",
            $row['holder'] !== $row['execution'] => 'the site is not held by the update that is under way',
            default => null,
        };
        if ($why !== null) {
            throw new node_problem("This task must not change the database: $why. Nothing was done. Start the rollout plugin-update.");
        }
        $seconds = static fn(string $column): ?float => $row[$column] === null ? null : (float) $row[$column];
        return new self($database, $row['execution'], $seconds('maintenance_since'), $seconds('upgrade_started_at'),
            $seconds('upgrade_ended_at'), $seconds('maintenance_ended_at'));
    }

    /**
     * Whether a rollout upgrades this site's database now, or is about to for code like this. Versions alone do not say so:
     * code from which a plugin was removed has nothing newer, and during the upgrade the versions of the plugins are the new
     * ones before their settings and Moodle's caches are.
     *
     * @param string[] $missing components of the database that this code does not have
     */
    public static function is_at_work(lifecycle_database $database, array $missing): bool {
        $run = !$database->has_lifecycle_tables('update_run') ? null : $database->one("SELECT plan, upgrade_started_at
            FROM moodle_lifecycle.update_run
            WHERE site = ? AND finished_at IS NULL AND stage = 'upgrading' AND upgrade_ended_at IS NULL", [site()]);
        if ($run === null) {
            return false;
        }
        $removed = array_filter(json_decode((string) $run['plan'], true)['changes'] ?? [], static fn(array $change): bool => $change['to'] === null);
        return $run['upgrade_started_at'] !== null || array_intersect(array_column($removed, 'component'), $missing) !== [];
    }

    /**
     * Writes now() into one of the moments.
     *
     * @return float seconds since 1970, by the clock of the database
     * @throws node_problem when the rollout no longer holds the site
     */
    public function mark(string $moment): float {
        $this->write("UPDATE moodle_lifecycle.update_run SET $moment = CURRENT_TIMESTAMP(6) WHERE site = ? AND execution = ?",
            [site(), $this->execution]);
        $row = $this->database->one('SELECT ' . $this->database->seconds($moment) . ' AS moment
            FROM moodle_lifecycle.update_run WHERE site = ? AND execution = ?', [site(), $this->execution]);
        return (float) $row['moment'];
    }

    /** Whether an upgrade of this update began: the rows that it changes were kept, right before it. */
    public function has_rows_before(): bool {
        return $this->database->one('SELECT 1 AS there FROM moodle_lifecycle.update_row_before WHERE site = ? AND execution = ? LIMIT 1',
            [site(), $this->execution]) !== null;
    }

    /**
     * Keeps the rows that an upgrade changes where it changes no table: how Moodle knows its own version, and every setting of
     * the plugins that change. What is not kept was not there.
     *
     * @param string[] $plugins
     */
    public function keep_rows(array $plugins): void {
        $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
        $of = [site(), $this->execution];
        $keep = function (string $table, string $columns, string $which, array $parameters) use ($prefix, $of): void {
            $this->write("INSERT INTO moodle_lifecycle.update_row_before (site, execution, table_name, plugin, name, value)
                SELECT ?, ?, '$table', $columns FROM {$prefix}$table c, moodle_lifecycle.update_run
                WHERE ($which) AND site = ? AND execution = ?", [...$of, ...$parameters, ...$of]);
        };
        $keep('config', "'', c.name, c.value", "c.name IN ('version', 'release', 'branch', 'allversionshash', 'allcomponenthash',
            'registrationpending')", []);
        $changing = $plugins === [] ? '' : ' OR c.plugin IN (' . implode(', ', array_fill(0, count($plugins), '?')) . ')';
        $keep('config_plugins', 'c.plugin, c.name, c.value', "c.name = 'version'$changing", $plugins);
    }

    /**
     * Components that this upgrade brought to this code, by the rows that were kept before it.
     *
     * @param array<string, float> $code as code_versions() gives it
     */
    public function upgraded(array $code): array {
        $rows = $this->database->all("SELECT plugin, value FROM moodle_lifecycle.update_row_before
            WHERE site = ? AND execution = ? AND name = 'version'", [site(), $this->execution]);
        $before = [];
        foreach ($rows as $row) {
            $before[$row['plugin'] === '' ? 'core' : $row['plugin']] = (float) $row['value'];
        }
        $upgraded = [];
        foreach ($code as $component => $version) {
            if (($before[$component] ?? null) !== $version) {
                $upgraded[] = ['component' => $component, 'from' => $before[$component] ?? null, 'to' => $version];
            }
        }
        return $upgraded;
    }

    /** Runs a statement whose condition ends with the row of this update. */
    private function write(string $statement, array $parameters): void {
        $held = ' AND finished_at IS NULL AND EXISTS (SELECT 1 FROM moodle_lifecycle.rollout_hold h WHERE h.site = ? AND h.execution = ?)';
        if ($this->database->run($statement . $held, [...$parameters, site(), $this->execution]) === 0) {
            throw new node_problem('The rollout that asked for this no longer holds the site. What had not begun was not done.');
        }
    }
}
