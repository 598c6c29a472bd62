<?php
// Unpacking of an archive that somebody else made: nothing is written before every name in it has been looked at.

namespace moodle_lifecycle\plugins;

require_once(__DIR__ . '/manifest.php');

const MOST_ENTRIES = 50_000;
const MOST_BYTES = 1 << 30;

/**
 * Writes the files of a plugin's archive into a new folder, without the one folder that all of them lie in.
 *
 * @throws plugin_problem for anything but plain files and folders in one folder; then nothing was written
 */
function unpack_archive(string $file, string $folder, string $component): void {
    $archive = new \ZipArchive();
    if (filesize($file) === 0 || $archive->open($file, \ZipArchive::RDONLY) !== true) {
        throw new plugin_problem($component, 'its archive is not a zip file.');
    }
    try {
        $top = one_top_folder($archive, $component);
        for ($index = 0; $index < $archive->numFiles; $index++) {
            $name = $archive->getNameIndex($index, \ZipArchive::FL_ENC_RAW);
            if (!str_ends_with($name, '/')) {
                write_entry($archive, $index, $folder . substr($name, strlen($top)), $component);
            }
        }
    } finally {
        $archive->close();
    }
}

/** Looks at every entry; returns the name of the folder that all are in. */
function one_top_folder(\ZipArchive $archive, string $component): string {
    $refuse = static fn(string $problem): never => throw new plugin_problem($component, $problem);
    if ($archive->numFiles === 0) {
        $refuse('its archive is empty.');
    }
    if ($archive->numFiles > MOST_ENTRIES) {
        $refuse("its archive has $archive->numFiles entries, more than " . MOST_ENTRIES . '.');
    }
    $top = null;
    $bytes = 0;
    for ($index = 0; $index < $archive->numFiles; $index++) {
        $name = (string) $archive->getNameIndex($index, \ZipArchive::FL_ENC_RAW);
        $shown = '“' . preg_replace('/[^\x20-\x7e]/', '?', substr($name, 0, 200)) . '”';
        if ($name === '' || str_contains($name, "\0") || str_contains($name, '\\') || str_contains($name, "\n")) {
            $refuse("its archive has the name $shown, which is not one of a file.");
        }
        if (str_starts_with($name, '/') || preg_match('/^[A-Za-z]:/', $name) || in_array('..', explode('/', $name), true)) {
            $refuse("its archive has the path $shown, which leads out of its folder.");
        }
        // The upper half holds Unix's file mode; 0 where the archive was made by something that has none.
        $archive->getExternalAttributesIndex($index, $system, $attributes);
        $kind = ($attributes >> 16) & 0170000;
        if (!in_array($kind, [0, 0100000, 0040000], true)) {
            $refuse("its archive has $shown, which is " . ($kind === 0120000 ? 'a symbolic link' : 'neither a file nor a folder') . '.');
        }
        if (!str_contains($name, '/')) {
            $refuse("its archive has $shown beside its folder.");
        }
        $first = strstr($name, '/', true);
        if ($first !== ($top ??= $first)) {
            $refuse("its archive has more than one folder: $top and $first.");
        }
        $bytes += $archive->statIndex($index)['size'];
    }
    if ($bytes > MOST_BYTES) {
        $refuse("its archive unpacks to $bytes bytes, more than " . MOST_BYTES . '.');
    }
    return $top;
}

/** Sizes in an archive may lie: what is written is counted. */
function write_entry(\ZipArchive $archive, int $index, string $target, string $component): void {
    if (!is_dir(dirname($target)) && !@mkdir(dirname($target), 0755, true)) {
        throw new plugin_problem($component, 'its archive has a file where it has a folder.');
    }
    $from = $archive->getStreamIndex($index);
    $to = is_dir($target) ? false : @fopen($target, 'xb');
    if ($from === false || $to === false) {
        throw new plugin_problem($component, 'its archive cannot be unpacked: ' . basename($target) . ' is damaged, or there twice.');
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
