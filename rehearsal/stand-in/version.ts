/** The code version that the stand-in claims: sessions and caches have the layouts of Moodle 4.4. */
export const MOODLE_VERSION = '2024042200';
export const MOODLE_RELEASE = '4.4 (stand-in, not Moodle)';
export const MOODLE_BRANCH = '404';
