<?php
// Reads a secret from AWS Secrets Manager as the task's role, without an SDK.

namespace moodle_lifecycle;

require_once(__DIR__ . '/node.php');

/** @throws node_problem when the secret cannot be read; the message holds nothing of it */
final class secret {
    private function __construct() {
    }

    /**
     * The members of a secret that is a JSON object, null when it has no version of that stage.
     *
     * @throws node_problem
     */
    public static function read(string $arn, string $stage): ?array {
        [, , , $region] = explode(':', $arn) + ['', '', '', ''];
        $credentials = self::credentials();
        [$status, $body] = self::request(self::endpoint($region), [
            CURLOPT_POSTFIELDS => json_encode(['SecretId' => $arn, 'VersionStage' => $stage]),
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/x-amz-json-1.1',
                'X-Amz-Target: secretsmanager.GetSecretValue',
                'X-Amz-Security-Token: ' . $credentials['Token'],
            ],
            CURLOPT_AWS_SIGV4 => "aws:amz:$region:secretsmanager",
            CURLOPT_USERPWD => "{$credentials['AccessKeyId']}:{$credentials['SecretAccessKey']}",
        ]);
        $answer = json_decode($body, true);
        if ($status === 200 && is_array($members = json_decode($answer['SecretString'] ?? '', true))) {
            return $members;
        }
        $error = substr(strrchr('#' . ($answer['__type'] ?? 'no JSON object'), '#'), 1);
        if ($error === 'ResourceNotFoundException' && $stage !== 'AWSCURRENT') {
            return null;
        }
        throw new node_problem("Secrets Manager answered $status $error for $arn. The node keeps the login that it has.");
    }

    /** The task's own credentials, from ECS. */
    private static function credentials(): array {
        $relative = setting('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', '');
        $uri = $relative !== '' ? "http://169.254.170.2$relative" : required_setting('AWS_CONTAINER_CREDENTIALS_FULL_URI');
        [$status, $body] = self::request($uri, []);
        $credentials = json_decode($body, true);
        if ($status !== 200 || !isset($credentials['AccessKeyId'], $credentials['SecretAccessKey'], $credentials['Token'])) {
            throw new node_problem("ECS gave no credentials of the task's role (status $status). The node keeps the login that it has.");
        }
        return $credentials;
    }

    private static function endpoint(string $region): string {
        $given = setting('AWS_ENDPOINT_URL_SECRETS_MANAGER', setting('AWS_ENDPOINT_URL', ''));
        $domain = str_starts_with($region, 'cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
        return rtrim($given !== '' ? $given : "https://secretsmanager.$region.$domain", '/') . '/';
    }

    /** @return array{int, string} status and body */
    private static function request(string $uri, array $options): array {
        $curl = curl_init($uri);
        curl_setopt_array($curl, $options + [CURLOPT_RETURNTRANSFER => true, CURLOPT_CONNECTTIMEOUT => 3, CURLOPT_TIMEOUT => 10,
            CURLOPT_CAINFO => authorities_file()]);
        $body = curl_exec($curl);
        if ($body === false) {
            throw new node_problem(parse_url($uri, PHP_URL_HOST) . ' does not answer: ' . curl_error($curl) . '. The node keeps the login that it has.');
        }
        return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $body];
    }
}
