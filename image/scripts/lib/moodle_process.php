<?php
// Runs a command of Moodle, or of ours that loads Moodle, in a process of its own: whatever it does (a fatal error, no
// end, all the memory), this one goes on and can say what happened.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

/** How a process ended. */
final class ended_process {
    /** @param string[] $lines the last lines of both outputs, without secrets */
    public function __construct(
        public readonly int $code,
        public readonly int $signal,
        public readonly bool $overtime,
        public readonly float $seconds,
        public readonly array $lines,
        /** All of standard output, up to a megabyte. */
        public readonly string $output,
    ) {
    }

    public function succeeded(): bool {
        return $this->code === 0 && $this->signal === 0 && !$this->overtime;
    }
}

const KEPT_LINES = 200;
const KEPT_OUTPUT = 1 << 20;

/** Words of a PHP command with this node's settings. The memory is bounded: a plugin must not take the whole node's. */
function php_command(string ...$words): array {
    return [PHP_BINARY, '-c', required_setting('MOODLE_NODE_SCRIPTS') . '/php.ini',
        '-d', 'memory_limit=' . setting('MOODLE_UPGRADE_MEMORY', '1G'), '-d', 'auto_prepend_file=' . __DIR__ . '/say_fatal.php', ...$words];
}

/**
 * Runs a command to its end, or kills it.
 *
 * @param string[] $command
 * @param float $seconds after which it is killed
 * @param ?callable $watch called with the lines so far, about every second
 * @param bool $quiet whether standard output is an answer to us, which does not belong in the log
 * @param bool $silent whether it is killed after so many seconds without a line, however long it takes as a whole
 */
function run_process(array $command, float $seconds, ?callable $watch = null, bool $quiet = false, bool $silent = false): ended_process {
    $began = hrtime(true);
    $elapsed = static fn(): float => (hrtime(true) - $began) / 1e9;
    // Whatever ends this process, even SIGKILL, ends that one: no upgrade goes on that nobody watches.
    $process = proc_open(['setpriv', '--pdeathsig', 'KILL', ...$command], [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']],
        $pipes);
    if ($process === false) {
        throw new node_problem("{$command[0]} could not be started.");
    }
    $read = new process_output($pipes[1], $pipes[2], $quiet);
    $watched = 0.0;
    $overtime = false;
    $ended = $status = null;
    do {
        $open = $read->wait(0.2);
        if ($ended === null) {
            // Asked once more after the end, PHP before 8.3 no longer knows the exit code.
            $status = proc_get_status($process);
            $ended = $status['running'] ? null : $elapsed();
        }
        if ($ended === null && !$overtime && ($silent ? $read->silence() : $elapsed()) > $seconds) {
            $overtime = true;
            proc_terminate($process, SIGKILL);
        }
        if ($watch !== null && $elapsed() - $watched >= 1) {
            $watched = $elapsed();
            $watch($read->lines());
        }
        // What it started may keep the outputs open; nobody waits for that.
    } while ($ended === null || $open && $elapsed() - $ended < 2);
    proc_close($process);
    return new ended_process($status['signaled'] ? 0 : $status['exitcode'], $status['signaled'] ? $status['termsig'] : 0,
        $overtime, $ended, $read->lines(), $read->output());
}

/** Reads two pipes as they come, and passes their lines on to standard error. */
final class process_output {
    /** @var array<int, resource> */
    private array $open;
    private array $unfinished = ['', ''];
    private array $lines = [];
    private string $output = '';
    private int $heard;

    public function __construct(mixed $out, mixed $error, private readonly bool $quiet) {
        $this->open = [$out, $error];
        array_map(static fn(mixed $pipe): bool => stream_set_blocking($pipe, false), $this->open);
        $this->heard = hrtime(true);
    }

    /** Waits for output; false when there will be none any more. */
    public function wait(float $seconds): bool {
        if ($this->open === []) {
            usleep((int) ($seconds * 1e5));
            return false;
        }
        [$ready, $none] = [$this->open, null];
        if (stream_select($ready, $none, $none, 0, (int) ($seconds * 1e6))) {
            foreach (array_keys($ready) as $which) {
                $this->take($which);
            }
        }
        return $this->open !== [];
    }

    /** Seconds since anything was read. */
    public function silence(): float {
        return (hrtime(true) - $this->heard) / 1e9;
    }

    private function take(int $which): void {
        $text = (string) fread($this->open[$which], 65536);
        $this->heard = $text === '' ? $this->heard : hrtime(true);
        if ($which === 0 && strlen($this->output) < KEPT_OUTPUT) {
            $this->output .= $text;
        }
        $parts = explode("\n", $this->unfinished[$which] . $text);
        $this->unfinished[$which] = array_pop($parts);
        if (feof($this->open[$which])) {
            $parts[] = $this->unfinished[$which];
            fclose($this->open[$which]);
            unset($this->open[$which]);
        } else if (strlen($this->unfinished[$which]) > 65536) {
            // A line without end would grow without end.
            $parts[] = $this->unfinished[$which];
            $this->unfinished[$which] = '';
        }
        foreach ($parts as $line) {
            $this->add($line, $this->quiet && $which === 0);
        }
    }

    private function add(string $line, bool $quiet): void {
        $line = rtrim(mb_scrub(without_secrets(substr($line, 0, 4000))));
        if ($line === '') {
            return;
        }
        if (!$quiet) {
            fwrite(STDERR, "$line\n");
        }
        $this->lines[] = $line;
        if (count($this->lines) > KEPT_LINES) {
            array_shift($this->lines);
        }
    }

    public function lines(): array {
        return $this->lines;
    }

    public function output(): string {
        return $this->output;
    }
}

/** What is secret in this node's environment does not get into a log, even when a plugin says it. */
function without_secrets(string $text): string {
    static $secrets = null;
    $secrets ??= array_filter(getenv(), static fn(string $value, string $name): bool =>
        strlen($value) >= 4 && preg_match('/PASSWORD$|_KEY$|SECRET$|TOKEN$/', $name) === 1, ARRAY_FILTER_USE_BOTH);
    return str_replace(array_values($secrets), '•••', $text);
}
