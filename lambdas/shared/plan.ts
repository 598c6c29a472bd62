import type { SiteStateName } from './site-state.ts';

/** What "Check the site" decided, for the phases after it. */
export interface Plan {
  readonly state: Exclude<SiteStateName, 'unknown'>;
  /** Whether this rollout makes or finishes Moodle's install. */
  readonly install: boolean;
  readonly nodes: number;
  readonly finish: 'unattended' | 'browser';
  /** As Moodle writes an address; null unless the install is finished in a browser. */
  readonly adminIp: string | null;
  /** Whether the files that the database names are looked for: both were brought here from elsewhere. */
  readonly existingSite: boolean;
  /** Whether files that are not there are taken for lost before: the operator says so. */
  readonly acceptMissingFiles: boolean;
  /** Tag of the image that the nodes run. */
  readonly image: string;
  /** How long an install is expected to take on this database. */
  readonly expectedSeconds: number;
}

/** What the state machine gives to every phase after the first. */
export interface PhaseInput {
  readonly site: string;
  readonly execution: string;
  readonly plan: Plan;
}
