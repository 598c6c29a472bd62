<?php
// Maintenance mode as Moodle's own command has it: while climaintenance.html is on the shared volume, every page of every
// node answers 503 with it. Ours bears a mark, so that we never end the maintenance that an administrator began. Works
// without Moodle: it must also end when Moodle's code is broken.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

final class maintenance {
    private const MARK = '<!-- moodle-lifecycle -->';

    private readonly string $file;

    public function __construct() {
        $this->file = required_setting('MOODLE_DATAROOT') . '/climaintenance.html';
    }

    /** `off`, `ours` or `theirs`. */
    public function state(): string {
        clearstatcache();
        if (!is_file($this->file)) {
            return 'off';
        }
        return str_contains((string) file_get_contents($this->file), self::MARK) ? 'ours' : 'theirs';
    }

    /**
     * From one moment to the next, on all nodes. Maintenance that stands already is left as it is.
     *
     * @param string $page HTML that visitors see
     * @return bool whether it stands now because of this call
     */
    public function begin(string $page): bool {
        if ($this->state() !== 'off') {
            return false;
        }
        $new = "$this->file." . getmypid();
        if (@file_put_contents($new, $page . "\n" . self::MARK . "\n") === false || !chmod($new, 0660) || !rename($new, $this->file)) {
            throw new node_problem("Maintenance could not begin: $this->file cannot be written. Nothing was changed.");
        }
        return true;
    }

    /** @return string `ended`, `was off` or `not ours` */
    public function end(): string {
        $state = $this->state();
        if ($state === 'ours' && !unlink($this->file)) {
            throw new node_problem("Maintenance could not end: $this->file cannot be removed. Remove it by hand.");
        }
        return ['off' => 'was off', 'ours' => 'ended', 'theirs' => 'not ours'][$state];
    }
}
