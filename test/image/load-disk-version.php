<?php
// load-disk-version.php <code tree> <empty folder> <folder>: has this Moodle's own \core\plugininfo\base::load_disk_version read
// version.php in each folder below the last one, as if these were its plugins: <folder>/<type>/<name>/version.php. Prints an
// object of what it read, by “<type>/<name>”; each in a process of its own, because PHP may stop at one.

[, $tree, $scratch, $folder] = $argv;
require(__DIR__ . '/../../image/plugin-tools/start_moodle.php');

$answers = [];
foreach (glob("$folder/*/*", GLOB_ONLYDIR) as $plugin) {
    [$type, $name] = array_slice(explode('/', $plugin), -2);
    $process = pcntl_fork();
    if ($process === 0) {
        ob_start(static fn(): string => '');
        $said = load_disk_version($component, $type, $name, $plugin);
        file_put_contents("$scratch/said", json_encode($said, JSON_PRESERVE_ZERO_FRACTION));
        // Not exit(): nothing of the parent's is to be done here.
        posix_kill(getmypid(), SIGKILL);
    }
    @unlink("$scratch/said");
    pcntl_waitpid($process, $status);
    clearstatcache();
    $answers["$type/$name"] = is_file("$scratch/said") ? json_decode(file_get_contents("$scratch/said")) : ['stops' => true];
}
while (ob_get_level() > 0) {
    ob_end_clean();
}
echo json_encode($answers, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES), "\n";

function load_disk_version(string $component, string $type, string $name, string $folder): array {
    $component::get_plugin_types();
    foreach (['plugintypes' => [$type => dirname($folder)], 'plugins' => [$type => [$name => $folder]],
            'deprecatedplugintypes' => [], 'deletedplugintypes' => []] as $property => $value) {
        if (property_exists($component, $property)) {
            (new ReflectionProperty($component, $property))->setValue(null, $value);
        }
    }
    $plugin = (new ReflectionClass('core\plugininfo\general'))->newInstanceWithoutConstructor();
    [$plugin->type, $plugin->name, $plugin->component, $plugin->pluginman] = [$type, $name, "{$type}_$name", core_plugin_manager::instance()];
    try {
        $plugin->load_disk_version();
    } catch (Throwable $problem) {
        return $problem instanceof coding_exception ? ['refused' => $problem->getMessage()] : ['stops' => true];
    }
    return ['version' => $plugin->versiondisk, 'requires' => $plugin->versionrequires, 'supported' => $plugin->pluginsupported,
        'incompatible' => $plugin->pluginincompatible, 'dependencies' => $plugin->dependencies];
}
