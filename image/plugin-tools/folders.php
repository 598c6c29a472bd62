<?php

namespace moodle_lifecycle\plugins;

/** Removes a file, a link (never what it points to) or a folder with all in it. */
function remove_folder(string $path): void {
    if (is_link($path) || is_file($path)) {
        unlink($path);
    } else if (is_dir($path)) {
        foreach (array_diff(scandir($path), ['.', '..']) as $name) {
            remove_folder("$path/$name");
        }
        rmdir($path);
    }
}
