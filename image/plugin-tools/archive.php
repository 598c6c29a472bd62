<?php
// Unpacking of an archive that somebody else made: nothing is written before every name in it has been looked at. What
// Moodle's own installer takes is taken (lib/filestorage/zip_archive.php, lib/classes/update/code_manager.php: files that
// macOS and Windows leave, a top folder of any name), and so are the files of a plugin without a folder, because here the
// manifest says which plugin they are. Unlike there, a link refuses the archive.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/manifest.php');

const MOST_ENTRIES = 50_000;
const MOST_BYTES = 1 << 30;

/**
 * Writes the files of a plugin's archive into a new folder, without the one folder that all of them lie in.
 *
 * @throws plugin_problem for anything but plain files and folders of one plugin; then nothing was written
 */
function unpack_archive(string $file, string $folder, string $component): void {
    $archive = new \ZipArchive();
    if (filesize($file) === 0 || $archive->open($file, \ZipArchive::RDONLY) !== true) {
        throw new plugin_problem($component, 'its archive is not a zip file.');
    }
    try {
        $files = files_of_plugin($archive, $component);
        foreach ($files as $index => $path) {
            write_entry($archive, $index, "$folder/$path", $component);
        }
    } finally {
        $archive->close();
    }
}

/**
 * Looks at every entry.
 *
 * @return array<int, string> path in the plugin's folder of each file to write, by its index in the archive
 */
function files_of_plugin(\ZipArchive $archive, string $component): array {
    $refuse = static fn(string $problem): never => throw new plugin_problem($component, $problem);
    if ($archive->numFiles === 0) {
        $refuse('its archive is empty.');
    }
    if ($archive->numFiles > MOST_ENTRIES) {
        $refuse("its archive has $archive->numFiles entries, more than " . MOST_ENTRIES . '.');
    }
    $paths = [];
    $bytes = 0;
    for ($index = 0; $index < $archive->numFiles; $index++) {
        $path = safe_path($archive, $index, $component);
        $bytes += $archive->statIndex($index)['size'];
        if ($path !== '' && !is_left_by_a_system($path)) {
            $paths[$index] = $path;
        }
    }
    if ($bytes > MOST_BYTES) {
        $refuse("its archive unpacks to $bytes bytes, more than " . MOST_BYTES . '.');
    }
    if ($paths === []) {
        $refuse('its archive has no file of a plugin.');
    }
    $files = array_filter($paths, static fn(string $path): bool => !str_ends_with($path, '/'));
    // A plugin has a version.php at its top: where the archive has it there, the plugin has no folder of its own.
    return in_array('version.php', $files, true) ? $files : without_top_folder($files, $paths, $component);
}

/**
 * @param array<int, string> $files
 * @param array<int, string> $paths files and folders
 * @return array<int, string>
 */
function without_top_folder(array $files, array $paths, string $component): array {
    $top = null;
    foreach ($paths as $path) {
        if (!str_contains($path, '/')) {
            throw new plugin_problem($component, 'its archive has ' . quoted($path) . ' beside its folder.');
        }
        $first = strstr($path, '/', true);
        if ($first !== ($top ??= $first)) {
            throw new plugin_problem($component, "its archive has more than one folder: $top and $first.");
        }
    }
    return array_map(static fn(string $path): string => substr($path, strlen($top) + 1), $files);
}

/** Path of an entry, a folder's with a slash at its end; empty for the top itself. */
function safe_path(\ZipArchive $archive, int $index, string $component): string {
    // libzip gives every name as UTF-8, whichever of the format's encodings the archive has.
    $name = (string) $archive->getNameIndex($index);
    $refuse = static fn(string $problem): never => throw new plugin_problem($component, 'its archive has ' . $problem);
    if ($name === '' || preg_match('/[\x00-\x1f\x7f\\\\]/', $name) || !mb_check_encoding($name, 'UTF-8')) {
        $refuse('the name ' . quoted($name) . ', which is not one of a file.');
    }
    $steps = explode('/', $name);
    if ($name[0] === '/' || preg_match('/^[A-Za-z]:/', $name) || in_array('..', $steps, true)) {
        $refuse('the path ' . quoted($name) . ', which leads out of its folder.');
    }
    // The upper half holds Unix's file mode; 0 where the archive was made by something that has none.
    $archive->getExternalAttributesIndex($index, $system, $attributes);
    $kind = ($attributes >> 16) & 0170000;
    if (!in_array($kind, [0, 0100000, 0040000], true)) {
        $refuse(quoted($name) . ', which is ' . ($kind === 0120000 ? 'a symbolic link' : 'neither a file nor a folder') . '.');
    }
    $steps = array_filter($steps, static fn(string $step): bool => $step !== '' && $step !== '.');
    return $steps === [] ? '' : implode('/', $steps) . (str_ends_with($name, '/') ? '/' : '');
}

/** What macOS and Windows put beside files, and Moodle leaves out too. */
function is_left_by_a_system(string $path): bool {
    return $path === '__MACOSX' || str_starts_with($path, '__MACOSX/')
        || in_array(basename($path), ['.DS_Store', 'Thumbs.db'], true);
}

function quoted(string $name): string {
    return '“' . preg_replace('/[^\x20-\x7e]/', '?', substr($name, 0, 200)) . '”';
}

/** Sizes in an archive may lie: what is written is counted. */
function write_entry(\ZipArchive $archive, int $index, string $target, string $component): void {
    if (!is_dir(dirname($target)) && !@mkdir(dirname($target), 0755, true)) {
        throw new plugin_problem($component, 'its archive has a file where it has a folder.');
    }
    $from = $archive->getStreamIndex($index);
    $to = is_dir($target) ? false : @fopen($target, 'xb');
    if ($from === false || $to === false) {
        throw new plugin_problem($component, 'its archive cannot be unpacked: ' . basename($target)
            . ' is damaged, encrypted, packed in a way that PHP does not know, or there twice.');
    }
    $expected = $archive->statIndex($index)['size'];
    $written = stream_copy_to_stream($from, $to, $expected + 1);
    fclose($from);
    fclose($to);
    if ($written !== $expected || !matches_checksum($target, $archive->statIndex($index)['crc'])) {
        throw new plugin_problem($component, 'its archive is damaged: ' . basename($target) . ' is not what it was packed from.');
    }
    chmod($target, 0644);
}

function matches_checksum(string $file, int $crc): bool {
    return hexdec(hash_file('crc32b', $file)) === ($crc & 0xffffffff);
}
