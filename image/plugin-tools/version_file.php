<?php
// What a plugin's version.php says. It is PHP, so it is run, as Moodle runs it; but in a process of its own that can
// reach nothing, because whatever it does must not happen to the build.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/manifest.php');

/** It sets a few variables: a thousand times what it needs. */
const VERSION_FILE_SECONDS = 3;

/**
 * @return array{component: string, version: float, requires?: float, incompatible?: int, supported?: int[],
 *     dependencies?: array<string, mixed>}
 * @throws plugin_problem when it does not name its component and version
 */
function read_version_file(string $folder, string $component): array {
    $file = "$folder/version.php";
    if (!is_file($file)) {
        throw new plugin_problem($component, 'it has no version.php.');
    }
    $began = hrtime(true);
    $command = ['timeout', '--signal=KILL', (string) VERSION_FILE_SECONDS, PHP_BINARY, '-n',
        '-d', 'memory_limit=64M', '-d', 'display_errors=stderr', '-d', 'log_errors=0', '-d', 'html_errors=0',
        '-d', 'open_basedir=' . realpath($folder) . ':' . realpath(__DIR__),
        '-d', 'disable_functions=exec,passthru,proc_open,popen,shell_exec,system,pcntl_exec,pcntl_fork,mail,fsockopen,'
            . 'pfsockopen,stream_socket_client,unlink,rename,rmdir,mkdir,file_put_contents,fopen,symlink,link,chmod,touch,copy,dl,putenv',
        __DIR__ . '/print_version.php', $file];
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes, null, []);
    // The first 64 kB are read: more than that is no version.
    $output = (string) stream_get_contents($pipes[1], 65536);
    $error = (string) stream_get_contents($pipes[2], 65536);
    array_map('fclose', $pipes);
    $code = proc_close($process);
    // By the clock, because a killed process has a different exit code in each version of PHP.
    if ($code !== 0 && hrtime(true) - $began >= VERSION_FILE_SECONDS * 1e9) {
        throw new plugin_problem($component, 'its version.php does not end within ' . VERSION_FILE_SECONDS . ' s.');
    }
    $said = json_decode(trim(substr($output, (int) strrpos(rtrim($output), "\n"))), true);
    if ($code !== 0 || !is_array($said)) {
        throw new plugin_problem($component, 'its version.php cannot be run: ' . first_php_error($error . $output));
    }
    if (!is_string($said['component'] ?? null) || !is_numeric($said['version'] ?? null)) {
        throw new plugin_problem($component, 'its version.php does not set $plugin->component and $plugin->version.');
    }
    return ['version' => (float) $said['version']] + $said;
}

/** The first line in which PHP says what went wrong, without the path of this build. */
function first_php_error(string $output): string {
    foreach (explode("\n", $output) as $line) {
        $line = trim($line);
        if ($line !== '' && !str_starts_with($line, '#') && $line !== 'Stack trace:') {
            return (string) preg_replace('#\S*/([^/\s]+\.php)#', '$1', (string) preg_replace('/^(PHP )?/', '', $line));
        }
    }
    return 'PHP said nothing.';
}
