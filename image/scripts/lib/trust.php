<?php
// Which certificate authorities this node trusts. Separate because config.php needs it too.

namespace moodle_lifecycle;

/** PEM file of the trusted authorities: SSL_CERT_FILE where it is set, else the system's. */
function authorities_file(): string {
    $given = getenv('SSL_CERT_FILE');
    if ($given !== false && $given !== '') {
        return $given;
    }
    return '/etc/ssl/certs/ca-certificates.crt';
}

/**
 * TLS options for a connection to Redis: the peer is always verified. The file is always named, because Moodle's Redis
 * cache store takes a missing `cafile` for "do not verify".
 */
function tls_options(): array {
    return ['cafile' => authorities_file(), 'verify_peer' => true, 'verify_peer_name' => true];
}
