<?php
// How far an upgrade is, acknowledged every two seconds, so that the rollout can say what it waits for.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lifecycle_database.php');
require_once(__DIR__ . '/moodle_output.php');

final class upgrade_progress {
    private readonly float $began;
    private string $stage = '';
    private float $said = 0;

    public function __construct(private readonly lifecycle_database $database) {
        $this->began = microtime(true);
    }

    /** Enters a stage, which is said at once. */
    public function enter(string $stage): void {
        $this->stage = $stage;
        say("upgrade: $stage");
        $this->acknowledge([]);
    }

    /** @param string[] $lines of Moodle's output so far */
    public function watch(array $lines): void {
        if (microtime(true) - $this->said >= 2) {
            $this->acknowledge($lines);
        }
    }

    private function acknowledge(array $lines): void {
        $this->said = microtime(true);
        $this->database->acknowledge('upgrade-progress', array_filter([
            'stage' => $this->stage,
            'seconds' => (int) round(microtime(true) - $this->began),
            'plugin' => current_component($lines),
            'line' => $lines === [] ? null : shortened($lines[array_key_last($lines)]),
        ], static fn(mixed $value): bool => $value !== null));
    }
}
