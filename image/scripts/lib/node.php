<?php
// What every script of a node needs: settings from the environment, plain failures, the code's own facts.

namespace moodle_lifecycle;

require_once(__DIR__ . '/trust.php');

/** A reason to stop that is said in plain words and holds no secret. `$details`: what was measured until then. */
final class node_problem extends \RuntimeException {
    public function __construct(string $message, public readonly array $details = []) {
        parent::__construct($message);
    }
}

/** @throws node_problem when the variable is missing or empty */
function required_setting(string $name): string {
    $value = getenv($name);
    if ($value === false || $value === '') {
        throw new node_problem("The environment variable $name is missing. Nothing was done.");
    }
    return $value;
}

function setting(string $name, string $default): string {
    $value = getenv($name);
    return $value === false || $value === '' ? $default : $value;
}

function site(): string {
    return required_setting('MOODLE_SITE');
}

/** Id of this node: set by the entrypoint from ECS's task metadata. */
function node(): string {
    return required_setting('MOODLE_NODE_ID');
}

/** A line on standard error; standard output belongs to what a script answers. */
function say(string $text): void {
    fwrite(STDERR, "moodle-node: $text\n");
}

/** Makes an uncaught failure one plain line and exit code 1: a PHP stack trace could show passwords. */
function fail_plainly(): void {
    set_exception_handler(static function (\Throwable $problem): void {
        $where = $problem instanceof node_problem ? '' : ' (' . basename($problem->getFile()) . ':' . $problem->getLine() . ')';
        say($problem->getMessage() . $where);
        exit(1);
    });
}

/** Turns PHP's warnings during `$work` into a node_problem: the network functions explain themselves only in warnings. */
function with_warnings_as_problems(callable $work): mixed {
    set_error_handler(static function (int $level, string $message): bool {
        throw new node_problem($message);
    });
    try {
        return $work();
    } finally {
        restore_error_handler();
    }
}

/** Folder of Moodle's web root and libraries: public/ from 5.1 on. */
function moodle_dirroot(): string {
    $root = required_setting('MOODLE_DIRROOT');
    return is_file("$root/public/version.php") ? "$root/public" : $root;
}

/**
 * What version.php of the code says.
 *
 * @return array{version: float, release: string, branch: int}
 * @throws node_problem when there is no Moodle in MOODLE_DIRROOT
 */
function code_version(): array {
    $file = moodle_dirroot() . '/version.php';
    $text = is_file($file) ? (string) file_get_contents($file) : '';
    if (!preg_match('/^\s*\$version\s*=\s*([0-9.]+)\s*;/m', $text, $version)
            || !preg_match('/^\s*\$release\s*=\s*[\'"]([^\'"]+)[\'"]\s*;/m', $text, $release)
            || !preg_match('/^\s*\$branch\s*=\s*[\'"]?(\d+)[\'"]?\s*;/m', $text, $branch)) {
        throw new node_problem("There is no Moodle in MOODLE_DIRROOT: $file does not name its version.");
    }
    return ['version' => (float) $version[1], 'release' => $release[1], 'branch' => (int) $branch[1]];
}

/** How many tables an install of this code makes, counted from the db/install.xml of core and every plugin. */
function expected_tables(): int {
    $skipped = ['tests', 'node_modules', 'vendor', 'amd', 'lang', 'pix', 'templates', 'yui', '.git'];
    $folders = new \RecursiveCallbackFilterIterator(
        new \RecursiveDirectoryIterator(moodle_dirroot(), \FilesystemIterator::SKIP_DOTS),
        static fn(\SplFileInfo $file): bool => $file->isDir()
            ? !in_array($file->getFilename(), $skipped, true)
            : $file->getFilename() === 'install.xml' && basename($file->getPath()) === 'db',
    );
    $tables = 0;
    foreach (new \RecursiveIteratorIterator($folders) as $file) {
        $tables += substr_count((string) file_get_contents($file->getPathname()), '<TABLE NAME=');
    }
    return $tables;
}
