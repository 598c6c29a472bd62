<?php
// Programs that Moodle starts. Where they are is a fact of the image; what the database says of it is that of the server
// which the site came from, and Moodle's pages cannot change it (`preventexecpath`).

namespace moodle_lifecycle;

/**
 * Settings that hold the path of a program, and the program's name on Debian; a plugin's as component/name. Every
 * `admin_setting_configexecutable` of Moodle's own code is here (test/image/programs.moodle.test.ts). For a plugin that has
 * such a setting, add it, and its program to the Containerfile.
 */
const PROGRAMS = [
    'aspellpath' => 'aspell',
    'file_redactor_exifremovertoolpath' => 'exiftool',
    'pathtodot' => 'dot',
    'pathtodu' => 'du',
    'pathtogs' => 'gs',
    'pathtopdftoppm' => 'pdftoppm',
    'pathtophp' => 'php',
    'pathtopython' => 'python3',
    'pathtosassc' => 'sassc',
    'pathtounoconv' => 'unoconv',
    'antivirus_clamav/pathtoclam' => 'clamscan',
    'filter_tex/pathconvert' => 'convert',
    'filter_tex/pathdvips' => 'dvips',
    'filter_tex/pathdvisvgm' => 'dvisvgm',
    'filter_tex/pathlatex' => 'latex',
    'filter_tex/pathmimetex' => 'mimetex',
];

/** Without a path, Moodle would take files unscanned and say nothing; with one that is not there, it tells its administrators. */
const NEVER_EMPTY = ['antivirus_clamav/pathtoclam'];

/** Where a program of this image lies; empty where there is none, which Moodle takes for “not there”. */
function program_path(string $program): string {
    foreach (['/usr/local/bin', '/usr/bin'] as $folder) {
        if (is_executable("$folder/$program")) {
            return "$folder/$program";
        }
    }
    return '';
}

/** Puts the paths of the image's programs into Moodle's configuration, over those of the database. */
function set_program_paths(\stdClass $cfg): void {
    foreach (PROGRAMS as $setting => $program) {
        $path = program_path($program);
        if ($path === '' && in_array($setting, NEVER_EMPTY, true)) {
            $path = "/usr/bin/$program";
        }
        [$name, $plugin] = array_reverse(explode('/', $setting)) + [1 => null];
        if ($plugin === null) {
            $cfg->$name = $path;
        } else {
            $cfg->forced_plugin_settings[$plugin][$name] = $path;
        }
    }
    // Formulas are GIF where there is no LaTeX: Moodle's own mimeTeX makes nothing else (filter_tex_updatedcallback).
    $tex = $cfg->forced_plugin_settings['filter_tex'];
    if ($tex['pathlatex'] === '' || $tex['pathdvips'] === '' || $tex['pathconvert'] . $tex['pathdvisvgm'] === '') {
        $cfg->forced_plugin_settings['filter_tex']['convertformat'] = 'gif';
    }
}
