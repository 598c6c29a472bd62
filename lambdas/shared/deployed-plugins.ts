import source from '../../image/plugins.json' with { type: 'json' };
import type { PinnedPlugin } from './manifest.ts';

/** The plugins of the deployed `image/`, from the file that its builds read too. */
export const deployedPlugins: readonly PinnedPlugin[] = source.plugins;
