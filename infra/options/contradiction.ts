import type { Config } from '../config.ts';

/**
 * Options that contradict each other: which one cannot stand, and what is allowed instead, in plain words. `undefined`
 * when they agree.
 */
export type Contradiction = (config: Config) => string | undefined;
