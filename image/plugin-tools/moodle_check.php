<?php
// Whether a release of Moodle is one that this project knows how to build, start and upgrade: where its files lie, what its
// own classes say of its plugins, and what it requires. Looks at the bare release; each finding is a line of words.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/code_tree.php');
require_once(__DIR__ . '/folders.php');
require_once(__DIR__ . '/moodle_contract.php');
require_once(__DIR__ . '/php_errors.php');

const ASKING_SECONDS = 120;
const MOST_DIFFERENCES = 5;

final class findings {
    /** @var string[] */
    public array $good = [];
    /** @var string[] */
    public array $notes = [];
    /** @var string[] */
    public array $problems = [];

    /** One thing that was looked at: good when nothing was found. @param string[] $problems */
    public function looked_at(string $what, array $problems): bool {
        if ($problems === []) {
            $this->good[] = $what;
        }
        array_push($this->problems, ...$problems);
        return $problems === [];
    }
}

/** @throws unknown_moodle when it holds no Moodle, or one of another layout */
function check_moodle(code_tree $tree): findings {
    $findings = new findings();
    $lacking = missing_files($tree);
    $findings->looked_at(count(FILES_AT_THE_ROOT) + count(FILES_THAT_ARE_SERVED) . ' files where the image needs them, '
        . ($tree->dirroot === $tree->root ? 'the root is served' : 'public/ is served'), $lacking);
    if ($lacking !== []) {
        return $findings;
    }
    check_requirements($tree, $findings);
    $scratch = make_scratch($tree);
    try {
        $moodle = ask_moodle($tree, $scratch);
        compare_types($tree, $moodle, $findings);
        compare_plugins($tree, $moodle, $findings);
        compare_subplugins($tree, $moodle, $scratch, $findings);
        $findings->looked_at(count(CLASSES) . ' classes, ' . count(FUNCTIONS) . ' functions and ' . count(CONSTANTS)
            . ' constants of Moodle that the image uses',
            array_map(static fn(string $what): string => "the $what of Moodle, which the image uses, is not there.", $moodle['lacking']));
    } catch (unknown_moodle $problem) {
        $findings->problems[] = $problem->getMessage();
    } finally {
        remove_folder($scratch);
    }
    return $findings;
}

/** @return string[] */
function missing_files(code_tree $tree): array {
    $served = $tree->relative($tree->dirroot);
    $files = [...FILES_AT_THE_ROOT,
        ...array_map(static fn(string $file): string => ltrim("$served/$file", '/'), FILES_THAT_ARE_SERVED),
        ...($served === '' ? [] : [FILE_THAT_LEADS_TO_CONFIG])];
    $problems = [];
    foreach ($files as $file) {
        if (!is_file("$tree->root/$file")) {
            $problems[] = "Moodle $tree->release is of a layout that is not known here: $file is not there.";
        }
    }
    return $problems;
}

/** PHP and databases, by admin/environment.xml; the PHP that runs this is the nodes'. */
function check_requirements(code_tree $tree, findings $findings): void {
    $file = $tree->relative("$tree->dirroot/admin/environment.xml");
    $xml = @simplexml_load_file("$tree->root/$file");
    preg_match('/^\d+\.\d+/', $tree->release, $number);
    $wanted = $xml === false ? [] : $xml->xpath("//MOODLE[@version=\"" . ($number[0] ?? '') . '"]');
    if ($wanted === []) {
        $findings->problems[] = "$file does not say what Moodle " . ($number[0] ?? $tree->release) . ' requires.';
        return;
    }
    $problems = [];
    $least = (string) $wanted[0]->PHP['version'];
    if (version_compare(PHP_VERSION, $least, '<')) {
        $problems[] = "it requires PHP $least or newer; this is " . PHP_VERSION . '.';
    }
    foreach ($wanted[0]->PHP->RESTRICT ?? [] as $restriction) {
        if (preg_match('/^restrict_php_version_(\d)(\d+)$/', (string) $restriction['function'], $found)
                && version_compare(PHP_VERSION, "$found[1].$found[2]", '>=')) {
            $problems[] = "it runs on no PHP from $found[1].$found[2] on; this is " . PHP_VERSION . '.';
        }
    }
    foreach ($wanted[0]->PHP_EXTENSIONS->PHP_EXTENSION ?? [] as $extension) {
        if ((string) $extension['level'] === 'required' && !extension_loaded((string) $extension['name'])) {
            $problems[] = "it requires the extension {$extension['name']} of PHP, which is not installed here.";
        }
    }
    $findings->looked_at("PHP $least or newer (this is " . PHP_VERSION . '), with its extensions', $problems);
    $databases = [];
    foreach ($wanted[0]->DATABASE->VENDOR ?? [] as $vendor) {
        $databases[] = "{$vendor['name']} {$vendor['version']}";
    }
    $findings->good[] = 'databases: at least ' . implode(', ', $databases);
}

/**
 * @return array as ask_moodle.php prints it
 * @throws unknown_moodle with the first thing that PHP said
 */
function ask_moodle(code_tree $tree, string $scratch): array {
    $command = ['timeout', '--signal=KILL', (string) ASKING_SECONDS, PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'log_errors=0',
        '-d', 'html_errors=0', '-d', 'memory_limit=1G', __DIR__ . '/ask_moodle.php', $tree->root, $scratch];
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['file', "$scratch/answer", 'w'], ['file', "$scratch/errors", 'w']],
        $pipes, $scratch, ['PATH' => (string) getenv('PATH')]);
    $code = proc_close($process);
    $output = rtrim((string) file_get_contents("$scratch/answer"));
    $answer = json_decode(substr($output, (int) strrpos($output, "\n")), true);
    if ($code !== 0 || !is_array($answer)) {
        throw new unknown_moodle("Moodle $tree->release does not start as its admin/cli/install.php starts it: "
            . last_php_error((string) file_get_contents("$scratch/errors")));
    }
    return $answer;
}

function compare_types(code_tree $tree, array $moodle, findings $findings): void {
    $ours = array_map($tree->relative(...), $tree->plugin_types());
    $deprecated = array_map($tree->relative(...), $tree->deprecated_types());
    $parents = array_values(array_filter(array_keys($ours), $tree->may_have_subplugins(...)));
    $findings->looked_at(count($ours) . ' plugin types and their folders, as \core\component finds them', [
        ...differences('the folder of the plugin type', $ours, $moodle['types']),
        ...differences('the folder of the deprecated plugin type', $deprecated, $moodle['deprecated']),
        ...differences('the type whose plugins may have subplugins', as_keys($parents), as_keys($moodle['parents'])),
    ]);
}

/** @param string[] $names */
function as_keys(array $names): array {
    return array_fill_keys($names, true);
}

function compare_plugins(code_tree $tree, array $moodle, findings $findings): void {
    $folders = $tree->plugins();
    $findings->looked_at(count($folders) . ' plugins in their folders, as \core\component finds them',
        differences('the folder of', array_map($tree->relative(...), $folders), column_of($moodle['plugins'], 'folder')));
    $standard = array_filter($tree->standard_plugins());
    $findings->looked_at(array_sum(array_map('count', $standard)) . ' plugins are Moodle’s own, as \core_plugin_manager names them',
        differences('the list of Moodle’s own plugins of the type', array_map(sorted(...), $standard), array_map(sorted(...), $moodle['standard'])));
    $problems = [];
    foreach ($folders as $component => $folder) {
        array_push($problems, ...compare_version_file($component, $folder, $moodle['plugins'][$component] ?? [], $tree));
    }
    $findings->looked_at('version.php of every plugin, as Moodle reads it', shortened($problems));
    foreach ($standard as $type => $names) {
        foreach ($names as $name) {
            if (!isset($folders["{$type}_$name"])) {
                $findings->notes[] = "{$type}_$name is Moodle’s own and not in this tree.";
            }
        }
    }
    foreach (PLUGINS as $component) {
        if (!isset($folders[$component])) {
            $findings->problems[] = "$component, which the image sets up, is not in this tree.";
        }
    }
}

/** @return string[] */
function compare_version_file(string $component, string $folder, array $moodle, code_tree $tree): array {
    try {
        $file = read_version_file($folder, $component, $tree->said());
    } catch (plugin_problem $problem) {
        return ["$component: {$problem->getMessage()}"];
    }
    if (isset($moodle['problem'])) {
        return ["$component: Moodle refuses it: {$moodle['problem']}"];
    }
    $said = ['version' => $file->said['version'] ?? null, 'requires' => $file->said['requires'] ?? null,
        'supported' => $file->said['supported'] ?? null, 'incompatible' => $file->said['incompatible'] ?? null,
        'dependencies' => $file->said['dependencies'] ?? []];
    return [
        ...differences("$component:", $said, array_intersect_key($moodle, $said)),
        ...array_map(static fn(string $problem): string => "$component: $problem", refused_by_moodle($file, $tree)),
    ];
}

/** Made-up plugins, each declaring subplugins in one of the ways that there are. */
const PROBES = [
    'older' => ['subplugins.json' => '{"plugintypes": {"probeone": "local/older/part"}}'],
    'newer' => ['subplugins.json' => '{"subplugintypes": {"probetwo": "part"}}'],
    'both' => ['subplugins.json' => '{"plugintypes": {"probethree": "local/older/part"}, "subplugintypes": {"probethree": "part"}}'],
    'frompublic' => ['subplugins.json' => '{"plugintypes": {"probefour": "public/local/older/part"}}'],
    'inphp' => ['subplugins.php' => "<?php\n\$subplugins = ['probefive' => 'local/inphp/part'];\n"],
    'broken' => ['subplugins.json' => '{'],
    'strange' => ['subplugins.json' => '{"plugintypes": {"Probe_six": "local/strange/part"}, "subplugintypes": {"Probe_six": "part"}}'],
    'taken' => ['subplugins.json' => '{"plugintypes": {"admin": "local/taken/part"}, "subplugintypes": {"admin": "part"}}'],
    'nowhere' => ['subplugins.json' => '{"plugintypes": {"probeseven": "local/nowhere/lost"}, "subplugintypes": {"probeseven": "lost"}}'],
];

/** An empty folder, with the probes and what code_tree needs of this Moodle in `tree`. */
function make_scratch(code_tree $tree): string {
    $scratch = sys_get_temp_dir() . '/check-moodle-' . bin2hex(random_bytes(6));
    $served = $tree->relative($tree->dirroot);
    $copied = ['lib/components.json', 'lib/plugins.json', ltrim("$served/version.php", '/')];
    foreach ($copied as $file) {
        make_folder(dirname("$scratch/tree/$file"));
        copy("$tree->root/$file", "$scratch/tree/$file");
    }
    foreach (PROBES as $name => $files) {
        $folder = "$scratch/tree/" . ltrim("$served/local/$name", '/');
        make_folder("$folder/part");
        make_folder("$folder/db");
        foreach ($files as $file => $text) {
            file_put_contents("$folder/db/$file", $text);
        }
    }
    return $scratch;
}

function compare_subplugins(code_tree $tree, array $moodle, string $scratch, findings $findings): void {
    $probes = new code_tree("$scratch/tree");
    $problems = [];
    foreach (array_keys(PROBES) as $name) {
        try {
            $types = $probes->subtypes_of("local_$name", "$probes->dirroot/local/$name")['plugintypes'];
            $ours = array_map($probes->relative(...), $types);
        } catch (plugin_problem) {
            $ours = 'refused';
        }
        $theirs = $moodle['subplugins'][$name] ?? null;
        if ($ours !== $theirs) {
            $declared = implode(', ', array_map(static fn(string $file, string $text): string => "$file: $text",
                array_keys(PROBES[$name]), PROBES[$name]));
            $problems[] = 'Moodle reads ' . trim((string) preg_replace('/\s+/', ' ', "db/$declared")) . ' as ' . shown($theirs)
                . ', and this project as ' . shown($ours) . '.';
        }
    }
    $findings->looked_at(count(PROBES) . ' ways to declare subplugins, as \core\component reads them', $problems);
}

/** @return string[] what differs, in words, the first few */
function differences(string $what, array $ours, array $moodle): array {
    $different = [];
    foreach (array_keys($ours + $moodle) as $key) {
        $theirs = $moodle[$key] ?? null;
        if (($ours[$key] ?? null) !== $theirs) {
            $different[] = "$what $key is " . shown($ours[$key] ?? null) . ' for this project, and ' . shown($theirs) . ' for Moodle.';
        }
    }
    return shortened($different);
}

/** @param string[] $problems */
function shortened(array $problems): array {
    $more = count($problems) - MOST_DIFFERENCES;
    return $more <= 0 ? $problems : [...array_slice($problems, 0, MOST_DIFFERENCES), "and $more more of that kind."];
}

function sorted(array $values): array {
    sort($values);
    return $values;
}

function column_of(array $rows, string $column): array {
    return array_map(static fn(array $row): mixed => $row[$column] ?? null, $rows);
}

function make_folder(string $folder): void {
    is_dir($folder) || mkdir($folder, 0755, true);
}
