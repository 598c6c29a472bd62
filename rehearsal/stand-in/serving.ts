import type { NodeParts } from './node-parts.ts';
import type { Settings } from './settings.ts';
import { MOODLE_RELEASE, MOODLE_VERSION } from './version.ts';

/** The value of the `serving` acknowledgement. */
export function serving(
  role: 'web' | 'cron',
  settings: Settings,
  { configuration, databaseVersion, upgradePending }: NodeParts,
): Record<string, unknown> {
  return {
    role,
    moodleRelease: MOODLE_RELEASE,
    moodleVersion: MOODLE_VERSION,
    databaseVersion,
    upgradePending,
    sessionStore: settings.sessionStore,
    cacheConfigurationHash: configuration.hash,
    php: 'none (stand-in, not Moodle)',
  };
}
