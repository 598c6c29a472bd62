<?php
// Prints this node's id: the last part of the ECS task's ARN; outside ECS the host's name.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/node.php');
fail_plainly();

$metadata = setting('ECS_CONTAINER_METADATA_URI_V4', '');
if ($metadata === '') {
    echo gethostname(), "\n";
    exit(0);
}
$answer = false;
for ($attempt = 1; $attempt <= 5 && $answer === false; $attempt++) {
    $answer = @file_get_contents("$metadata/task", false, stream_context_create(['http' => ['timeout' => 2]]));
    if ($answer === false) {
        sleep(1);
    }
}
$task = json_decode((string) $answer, true);
if (!is_array($task) || !is_string($task['TaskARN'] ?? null)) {
    throw new node_problem("ECS's task metadata at $metadata/task gave no TaskARN. Without it this node has no name; nothing was started.");
}
echo basename($task['TaskARN']), "\n";
