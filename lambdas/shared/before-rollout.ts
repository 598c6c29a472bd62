import type { CacheConfiguration } from './cache-configuration.ts';
import type { SiteParameters } from './parameters.ts';
import type { Capacity } from './scaling.ts';
import type { SessionStore } from './settings.ts';
import type { SiteLook } from './site-look.ts';

/** What a rollout found when it took the site, and its way back brings again. Kept in the hold's row. */
export interface BeforeRollout {
  readonly installed: boolean;
  readonly sessionStore: SessionStore;
  readonly parameters: SiteParameters;
  readonly desired: number;
  readonly cronDesired: number;
  readonly capacity: Capacity;
  readonly healthGraceSeconds: number;
  /** ARNs of the task definition revisions that the services ran. */
  readonly taskDefinition: string;
  readonly cronTaskDefinition: string;
  readonly cacheConfiguration: CacheConfiguration;
  /** How the site answered; left out where no node served. `image/scripts/lib/page_check.php` reads its `pages`. */
  readonly look?: SiteLook;
}

/**
 * What a rollout that takes over has to bring back: what the first one found, but never fewer nodes than an installed
 * site runs by now, which may serve people.
 */
export function inheritedBefore(earlier: BeforeRollout, now: BeforeRollout): BeforeRollout {
  if (!now.installed) return earlier;
  const desired = Math.max(earlier.desired, now.desired);
  return {
    ...earlier,
    desired,
    cronDesired: Math.max(earlier.cronDesired, now.cronDesired),
    capacity: { ...earlier.capacity, maximum: Math.max(earlier.capacity.maximum, desired) },
    ...(earlier.desired === 0 && now.desired > 0
      ? { taskDefinition: now.taskDefinition, cronTaskDefinition: now.cronTaskDefinition, parameters: now.parameters }
      : {}),
  };
}
