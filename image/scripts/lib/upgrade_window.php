<?php
// The time in which one task changes Moodle's tables: alone, on behalf of the rollout that holds the site, in maintenance
// where it needs to be, and from an instant on to which the database can go back.

namespace moodle_lifecycle;

require_once(__DIR__ . '/maintenance.php');
require_once(__DIR__ . '/update_run.php');
require_once(__DIR__ . '/upgrade_progress.php');

/** How long requests that began before maintenance may go on. Those that last longer are in the upgrade, as with Moodle's own. */
const IN_FLIGHT_SECONDS = 5;
/** The lock of a killed task goes with its connection. */
const LOCK_SECONDS = 60;

final class upgrade_window {
    public readonly update_run $run;
    public readonly maintenance $maintenance;
    /** When this task began maintenance, by this node's clock; null when it stood already or is not needed. */
    private ?float $maintenancebegan = null;
    /** When maintenance stood, by the clock of the database. */
    private ?float $since;
    private bool $changed = false;

    /** @throws node_problem when another task changes the tables, or none may */
    public function __construct(private readonly lifecycle_database $database, private readonly upgrade_progress $progress) {
        for ($deadline = time() + LOCK_SECONDS; !$database->try_upgrade_lock(); sleep(1)) {
            if (time() > $deadline) {
                throw new node_problem('Another task changes the tables of this database (its lock is taken). Nothing was done.');
            }
        }
        $this->run = update_run::upgrading($database);
        $this->since = $this->run->maintenancesince;
        $this->maintenance = new maintenance();
    }

    /**
     * Returns when the first change may be made.
     *
     * @param ?string $page what visitors see in maintenance; null: without maintenance
     */
    public function open(?string $page): void {
        if ($page !== null && $this->maintenance->begin($page)) {
            $this->maintenancebegan = microtime(true);
            $this->progress->enter('waiting for requests in flight');
            for ($deadline = microtime(true) + IN_FLIGHT_SECONDS; microtime(true) < $deadline && $this->database->others_work();) {
                usleep(100_000);
            }
        }
        if ($page !== null && $this->since === null) {
            $this->since = $this->run->mark('maintenance_since');
            // A database goes back to a full second: the next one, which must not have seen a change.
            while (($left = ceil($this->since) + 0.05 - $this->database->clock()) > 0) {
                usleep((int) ($left * 1e6));
            }
        }
        if ($this->run->upgradestarted === null) {
            $this->run->mark('upgrade_started_at');
        }
    }

    /** From here on, the way back is not only to end maintenance. */
    public function changes(): void {
        $this->changed = true;
    }

    /** Ends what open() began. @return ?float seconds that maintenance stood; null without */
    public function close(): ?float {
        if ($this->maintenance->end() !== 'ended') {
            return null;
        }
        $ended = $this->run->mark('maintenance_ended_at');
        return $this->maintenancebegan === null
            ? $ended - ($this->since ?? $ended)
            : microtime(true) - $this->maintenancebegan;
    }

    /**
     * The same problem, once maintenance is as it has to be after it: over when nothing was changed by this task or one
     * before it, else left on, because what users write would be lost when the database goes back.
     */
    public function failed(\Throwable $problem): node_problem {
        if (!$this->changed && $this->maintenancebegan !== null) {
            $this->maintenance->end();
        }
        $details = $problem instanceof node_problem ? $problem->details : [];
        return new node_problem($problem->getMessage(), $details + ['maintenance' => $this->maintenance->state() !== 'off']);
    }
}
