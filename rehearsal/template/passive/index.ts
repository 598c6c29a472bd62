import type { ResourceProvider } from '../provider.ts';
import { accessTypes } from './access.ts';
import { backupTypes } from './backup.ts';
import { edgeTypes } from './edge.ts';
import { instanceTypes } from './instances.ts';
import { networkTypes } from './network.ts';
import { passiveProvider } from './passive-type.ts';
import { queueTypes } from './queues.ts';
import { watchingTypes } from './watching.ts';

/** Every resource type that exists here and does nothing. */
export const passiveProviders: readonly ResourceProvider[] = [
  ...networkTypes,
  ...watchingTypes,
  ...accessTypes,
  ...backupTypes,
  ...queueTypes,
  ...edgeTypes,
  ...instanceTypes,
].map(passiveProvider);
