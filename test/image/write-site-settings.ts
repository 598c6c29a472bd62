import { writeFileSync } from 'node:fs';
import { siteSettingsDocument } from './site-settings.ts';

writeFileSync(new URL('../../docs/site-settings.md', import.meta.url), siteSettingsDocument());
