<?php
// unpack-with-moodle.php <code tree> <empty folder> <archive> <name of the plugin>: has this Moodle's own installer unpack an archive
// (core\update\code_manager) and look at its layout (core\update\validator). Prints {"files": {path: size}, "takes": bool}.

[, $tree, $scratch, $archive, $name] = $argv;
ob_start();
require(__DIR__ . '/../../image/plugin-tools/start_moodle.php');

mkdir("$scratch/unpacked");
mkdir("$scratch/manager");
$manager = new core\update\code_manager($dirroot, "$scratch/manager");
try {
    $files = $manager->unzip_plugin_file($archive, "$scratch/unpacked", $name);
    $validator = core\update\validator::instance("$scratch/unpacked", $files);
    $takes = (new ReflectionMethod($validator, 'validate_files_layout'))->invoke($validator);
} catch (moodle_exception $problem) {
    $takes = false;
}
$found = [];
foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator("$scratch/unpacked", FilesystemIterator::SKIP_DOTS)) as $file) {
    $found[substr($file->getPathname(), strlen("$scratch/unpacked/"))] = $file->getSize();
}
ksort($found);
while (ob_get_level() > 0) {
    ob_end_clean();
}
echo json_encode(['files' => (object) $found, 'takes' => $takes], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
