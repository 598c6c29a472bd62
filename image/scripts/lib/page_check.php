<?php
// Whether this code makes pages, looked at before anybody else sees one: an upgrade may end well, and every page fail.

namespace moodle_lifecycle;

require_once(__DIR__ . '/moodle_facts.php');

/** A page without any cache takes seconds; this is a page that hangs. */
const PAGE_SECONDS = 60;

/**
 * Has PHP's own web server make two pages, one for nobody and one for the administrator, without anything that a cache
 * keeps of the code before.
 *
 * @return bool whether Moodle says that its database awaits an upgrade
 * @throws node_problem with PHP's or Moodle's error line, when one is not whole
 */
function check_pages(): bool {
    $local = local_of_pages();
    $log = "$local/pages.log";
    $port = free_port();
    // The second page finds what the first has compiled.
    $command = ['setpriv', '--pdeathsig', 'KILL', ...php_command('-d', 'opcache.enable_cli=1', '-d', 'max_execution_time=' . PAGE_SECONDS,
        '-S', "127.0.0.1:$port", required_setting('MOODLE_NODE_SCRIPTS') . '/scripts/moodle/page.php')];
    $environment = ['MOODLE_LOCAL' => $local, 'MOODLE_CACHEDIR' => "$local/cache", 'MOODLE_DATAROOT' => "$local/dataroot"];
    $server = proc_open($command, [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['file', $log, 'w']], $pipes, null,
        $environment + getenv());
    try {
        foreach (['a page for a visitor' => '', 'a page for the administrator' => '?as=admin'] as $page => $query) {
            [$status, $body] = fetch_page($port, $query);
            // Moodle closes the page at its very end, whatever became of it: behind the answer there is more.
            if ($status !== 200 || !preg_match('/^whole, upgrade pending: (yes|no)\b/', (string) $body, $answer)) {
                throw broken_page($page, $status, (string) $body, file($log, FILE_IGNORE_NEW_LINES) ?: []);
            }
        }
        return $answer[1] === 'yes';
    } finally {
        proc_terminate($server, SIGKILL);
        proc_close($server);
    }
}

/** @param string[] $log of PHP's web server */
function broken_page(string $page, int $status, string $body, array $log): node_problem {
    // The server puts the time before each line.
    $lines = array_map(static fn(string $line): string => without_secrets((string) preg_replace('/^\[[^\]]*\] /', '', $line)), $log);
    $line = match (true) {
        str_starts_with($body, 'broken: ') => shortened(without_secrets(strtok(substr($body, strlen('broken: ')), "\n"))),
        ($said = error_line($lines)) !== null => $said,
        $body === '' => 'nothing came',
        default => shortened(without_secrets(strip_tags($body))),
    };
    return new node_problem("With this code $page answers HTTP $status: " . rtrim($line, '.') . '.',
        array_filter(['plugin' => component_in($line), 'line' => $line, 'log' => last_of($lines)]));
}

/** @return array{int, string|false} status and body */
function fetch_page(int $port, string $query): array {
    $curl = curl_init("http://127.0.0.1:$port/$query");
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => PAGE_SECONDS + 10,
        CURLOPT_PROXY => '',
        CURLOPT_HTTPHEADER => ['Host: ' . preg_replace('#^https?://#', '', strtolower(required_setting('MOODLE_WWWROOT')))],
    ]);
    for ($attempt = 0; $attempt < 50; $attempt++) {
        $body = curl_exec($curl);
        if ($body !== false || curl_errno($curl) !== CURLE_COULDNT_CONNECT) {
            break;
        }
        usleep(100_000);
    }
    return [(int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $body];
}

function free_port(): int {
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $port = (int) substr((string) strrchr((string) stream_socket_get_name($socket, false), ':'), 1);
    fclose($socket);
    return $port;
}

/**
 * A place for the processes of this check alone: with no cache of this node or of all nodes, which may hold what the code
 * before them was like, and with everything on the shared volume but the page of maintenance.
 */
function local_of_pages(): string {
    $node = required_setting('MOODLE_LOCAL');
    $local = "$node/pages";
    foreach (['cache', 'cache-configuration', 'dataroot', 'localcache', 'request', 'tmp'] as $folder) {
        remove_recursively("$local/$folder");
        mkdir("$local/$folder", 0700, true);
    }
    foreach (["$local/component-cache" => "$node/component-cache", "$local/opcache-blacklist" => "$node/opcache-blacklist"] as $link => $target) {
        is_link($link) || symlink($target, $link);
    }
    $shared = required_setting('MOODLE_DATAROOT');
    foreach (array_diff(scandir($shared), ['.', '..', 'cache', 'climaintenance.html', 'muc']) as $name) {
        symlink("$shared/$name", "$local/dataroot/$name");
    }
    return $local;
}

/** Never follows a link. */
function remove_recursively(string $path): void {
    if (is_link($path) || is_file($path)) {
        unlink($path);
    } else if (is_dir($path)) {
        foreach (array_diff(scandir($path), ['.', '..']) as $name) {
            remove_recursively("$path/$name");
        }
        rmdir($path);
    }
}
