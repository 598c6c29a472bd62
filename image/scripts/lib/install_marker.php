<?php
// The row that says who may install this site, and how far that went. It is written before the first statement of an
// install, so that a killed install can be told from anything else.

namespace moodle_lifecycle;

require_once(__DIR__ . '/site_state.php');

final class install_marker {
    public function __construct(private readonly lifecycle_database $database) {
    }

    public function started(int $expectedtables): void {
        $this->database->run('UPDATE moodle_lifecycle.install_marker SET started_at = CURRENT_TIMESTAMP(6), node = ?, attempt = attempt + 1,
            expected_tables = ?, finished_at = NULL, refused = NULL WHERE site = ?', [node(), $expectedtables, site()]);
    }

    public function finished(): void {
        $this->database->run('UPDATE moodle_lifecycle.install_marker SET finished_at = CURRENT_TIMESTAMP(6) WHERE site = ? AND node = ?',
            [site(), node()]);
    }

    public function cleared(int $tables): void {
        $this->database->run('UPDATE moodle_lifecycle.install_marker SET cleared_tables = ? WHERE site = ?', [$tables, site()]);
    }

    /** Keeps the reason where the rollout reads it. A site without a marker has no place for it but the log. */
    public function refused(string $reason): void {
        if ($this->database->has_lifecycle_tables()) {
            $this->database->run('UPDATE moodle_lifecycle.install_marker SET refused = ? WHERE site = ?', [$reason, site()]);
        }
    }
}

/** Why a node must not install now, in plain words; null when the marker allows it. */
function why_not_install(?array $marker): ?string {
    if ($marker === null) {
        return 'The database is empty, and no rollout allows an install of this site (no row in moodle_lifecycle.install_marker). '
            . 'Nothing was changed. Start the install rollout.';
    }
    if ((int) $marker['allows'] !== 1) {
        return "The database is empty, but an install of this site finished at {$marker['finished_at']}: its tables were lost since. "
            . 'Nothing was changed. Restore the database, or start the install rollout to have an empty site.';
    }
    return null;
}

/** Why nothing may be installed in this database, whatever a rollout allows: somebody's site is in it under other names. Null when none is. */
function why_not_beside(lifecycle_database $database): ?string {
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $others = $database->other_moodles($prefix);
    return $others === [] ? null : "The database holds a Moodle with $others[0]. This node is for tables that begin with $prefix, and installs none beside "
        . 'it. Nothing was changed. Deploy with its prefix (option tablePrefix), or rename its tables, and start the install rollout with existingSite.';
}

/** Why the tables of an unfinished install must not be dropped, in plain words; null when they are ours and hold nobody's data. */
function why_not_clear(lifecycle_database $database, site_state $found): ?string {
    $kept = "Nothing was changed: the $found->tables tables are as they were.";
    if ($found->marker === null || (int) $found->marker['running'] !== 1) {
        return "An unfinished Moodle is in the database ($found->reason), and it was not begun by an install of this site. $kept";
    }
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    $tables = $database->moodle_tables($prefix);
    // What a fresh install itself makes: the guest, the administrator, and the front page as a course.
    foreach (['user' => 2, 'course' => 1] as $table => $most) {
        if (in_array($prefix . $table, $tables, true) && $database->count_rows($prefix . $table, $most) > $most) {
            return "The install of this site did not finish ($found->reason), but $prefix$table has more than $most "
                . ($most === 1 ? 'row' : 'rows') . ", so somebody's data may be in it. $kept";
        }
    }
    return null;
}
