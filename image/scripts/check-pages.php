<?php
// Ends with exit code 0 when this node's code makes pages. A node whose pages fail must not come to the load balancer: it
// would answer its health check, which asks nginx alone.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/page_check.php');
fail_plainly();

try {
    check_pages();
} catch (node_problem $problem) {
    lifecycle_database::connect()->acknowledge('not-serving', ['ok' => false, 'problem' => $problem->getMessage()] + $problem->details);
    throw $problem;
}
