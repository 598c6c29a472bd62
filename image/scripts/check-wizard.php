<?php
// check-wizard <address> <loopback URL of this node's web server>: proves that admin/index.php goes on for the client
// address that the operator gave, and refuses another with 404.

namespace moodle_lifecycle;

[, $address, $server] = $argv + ['', '', ''];
require_once(__DIR__ . '/lib/one_off.php');
require_once(__DIR__ . '/lib/site_state.php');
fail_plainly();

/**
 * Goes through Moodle's redirects to its decision, as a browser at `$client` behind a load balancer would.
 *
 * @return array{status: int, location: string, cookies: string}
 */
function ask_wizard(string $server, string $client): array {
    $wwwroot = required_setting('MOODLE_WWWROOT');
    $cookies = '';
    $path = '/admin/index.php';
    for ($hop = 0; $hop < 8; $hop++) {
        $answer = fetch("$server$path", $client, $cookies);
        $cookies = $answer['cookies'];
        if (!str_contains($answer['location'], '/admin/index.php')) {
            return $answer;
        }
        $path = substr($answer['location'], strlen($wwwroot));
    }
    throw new node_problem('admin/index.php redirects to itself without end.');
}

function fetch(string $url, string $client, string $cookies): array {
    $host = (string) preg_replace('#^https?://#', '', strtolower(required_setting('MOODLE_WWWROOT')));
    $found = ['status' => 0, 'location' => '', 'cookies' => $cookies];
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 60,
        CURLOPT_PROXY => '',
        CURLOPT_HTTPHEADER => array_filter(["Host: $host", "X-Forwarded-For: $client",
            $cookies === '' ? '' : "Cookie: $cookies"]),
        CURLOPT_HEADERFUNCTION => static function ($curl, string $line) use (&$found): int {
            if (preg_match('/^Location:\s*(\S+)/i', $line, $match)) {
                $found['location'] = $match[1];
            } else if (preg_match('/^Set-Cookie:\s*(MoodleSession[^=]*=[^;]+)/i', $line, $match)) {
                $found['cookies'] = $match[1];
            }
            return strlen($line);
        },
    ]);
    if (curl_exec($curl) === false) {
        throw new node_problem('This node\'s own web server does not answer: ' . curl_error($curl) . '.');
    }
    $found['status'] = (int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return $found;
}

/** Ends the session that the wizard opened: it belongs to the administrator. */
function forget_session(string $cookie): void {
    $prefix = setting('MOODLE_DATABASE_PREFIX', 'mdl_');
    lifecycle_database::connect()->run("DELETE FROM {$prefix}sessions WHERE sid = ?", [substr((string) strrchr($cookie, '='), 1)]);
}

run_one_off('check-wizard', static function () use ($address, $server): array {
    if (filter_var($address, FILTER_VALIDATE_IP) === false) {
        throw new node_problem("The role is `check-wizard <IP address>`, not “check-wizard {$address}”.");
    }
    $found = read_site_state(lifecycle_database::connect());
    if ($found->state !== state::wizard) {
        throw new node_problem("No wizard waits for the administrator: the site is {$found->state->value} ($found->reason).");
    }
    // Addresses set aside for documentation, so nobody's.
    $stranger = str_contains($address, ':') ? '2001:db8::dead' : ($address === '192.0.2.66' ? '192.0.2.67' : '192.0.2.66');
    $refused = ask_wizard($server, $stranger);
    $allowed = ask_wizard($server, $address);
    forget_session($allowed['cookies']);
    forget_session($refused['cookies']);
    $value = ['allowedStatus' => $allowed['status'], 'refusedStatus' => $refused['status']];
    if ($allowed['status'] !== 303 || !str_contains($allowed['location'], '/user/editadvanced.php')) {
        throw new node_problem("For $address the wizard does not go on: HTTP {$allowed['status']}.", $value);
    }
    if ($refused['status'] !== 404) {
        throw new node_problem("For $stranger the wizard is not refused: HTTP {$refused['status']}.", $value);
    }
    return $value;
});
