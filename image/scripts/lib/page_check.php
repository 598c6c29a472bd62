<?php
// How pages answer with this code, looked at before anybody else sees one: an upgrade may end well, and every page fail.

namespace moodle_lifecycle;

require_once(__DIR__ . '/moodle_facts.php');

/** A page without any cache takes seconds; this is a page that hangs. */
const PAGE_SECONDS = 60;

/** Who looks, with the query that page.php has for it. */
const LOOKERS = ['visitor' => '', 'administrator' => '?as=admin'];

/** What came of one page: `page` when it is whole, `redirect` when it leads elsewhere, else `broken` with what is known of why. */
final class page_look {
    /** @param array{problem?: string, plugin?: string, line?: string, log?: string[]} $details */
    public function __construct(public readonly string $kind, public readonly int $status, public readonly array $details = []) {
    }
}

/**
 * Has PHP's own web server make one page for nobody and one for the administrator, without anything that a cache keeps of
 * the code before.
 *
 * @return array<string, page_look> by looker
 */
function look_at_pages(): array {
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
        return array_map(static fn(string $query): page_look => look_at_page($port, $query, $log), LOOKERS);
    } finally {
        proc_terminate($server, SIGKILL);
        proc_close($server);
    }
}

/**
 * What a site's pages were like before is not the fault of the code that came since.
 *
 * @param array<string, page_look> $pages
 * @param array<string, string> $before kinds by looker, as the rollout found them
 * @throws node_problem with PHP's or Moodle's error line, for a page that is broken and was not
 */
function assert_no_page_broke(array $pages, array $before): void {
    foreach ($pages as $looker => $page) {
        if ($page->kind === 'broken' && ($before[$looker] ?? '') !== 'broken') {
            throw new node_problem("With this code a page for the $looker answers HTTP $page->status: " . rtrim($page->details['problem'], '.') . '.',
                array_diff_key($page->details, ['problem' => '']));
        }
    }
}

/** Kinds of the pages that the rollout found before it changed anything; empty when it looked at none. @return array<string, string> */
function pages_before(lifecycle_database $database): array {
    $row = $database->one('SELECT before_rollout FROM moodle_lifecycle.rollout_hold WHERE site = ?', [site()]);
    return json_decode($row['before_rollout'] ?? '', true)['look']['pages'] ?? [];
}

function look_at_page(int $port, string $query, string $log): page_look {
    [$status, $body, $location] = fetch_page($port, $query);
    // Moodle closes the page at its very end, whatever became of it: behind the answer there is more.
    if ($status === 200 && str_starts_with($body, 'whole')) {
        return new page_look('page', $status);
    }
    // Plugins lead visitors to an identity provider, and signed-in users to a policy or a second factor, from any page.
    if ($status >= 300 && $status < 400 && $location !== '') {
        return new page_look('redirect', $status);
    }
    return new page_look('broken', $status, why_broken($body, file($log, FILE_IGNORE_NEW_LINES) ?: []));
}

/** @param string[] $log of PHP's web server */
function why_broken(string $body, array $log): array {
    // The server puts the time before each line.
    $lines = array_map(static fn(string $line): string => without_secrets((string) preg_replace('/^\[[^\]]*\] /', '', $line)), $log);
    $line = match (true) {
        str_starts_with($body, 'broken: ') => shortened(without_secrets(strtok(substr($body, strlen('broken: ')), "\n"))),
        ($said = error_line($lines)) !== null => $said,
        $body === '' => 'nothing came',
        default => shortened(without_secrets(strip_tags($body))),
    };
    return array_filter(['problem' => $line, 'plugin' => component_in($line), 'line' => $line, 'log' => last_of($lines)]);
}

/** @return array{int, string, string} status, body, and where a redirect leads */
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
    return [(int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE), (string) $body, (string) curl_getinfo($curl, CURLINFO_REDIRECT_URL)];
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
