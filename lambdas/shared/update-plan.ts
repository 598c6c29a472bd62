import type { Manifest } from './manifest.ts';
import type { MaintenanceWindow, Risk } from './plugin-update-input.ts';

/** Null: not there. For Moodle itself (`core`) and for `image` these are words, for plugins Moodle's numbers. */
export type ChangedVersion = number | string | null;

export interface PlannedChange {
  /** `core` is Moodle itself, `image` what the last deploy changed in `image/`. */
  readonly component: string;
  readonly from: ChangedVersion;
  readonly to: ChangedVersion;
  /** The author's words for the new version; empty when there are none. */
  readonly release: string;
  /** `deployed`: what the operator has deployed, and goes with every new image. */
  readonly risk: Risk | 'deployed';
  /** The input names it: it comes, or the rollout fails. Anything else is left out when it cannot come. */
  readonly asked?: true;
}

export interface LeftOut {
  readonly component: string;
  readonly why: string;
  /** It was to come and cannot: what stopped it. Absent: it was not to come. */
  readonly stoppedBy?: 'archive' | 'build';
}

/** What *Find updates* decided, for the phases after it. */
export interface UpdatePlan {
  /** `plan`: a dry run. `finish`: another execution left the site upgraded, and only what follows is left to do. */
  readonly outcome: 'update' | 'nothing' | 'plan' | 'finish';
  /** The changes and what was left out, in one line. */
  readonly summary: string;
  /** What of it fits into the subject of a message: `updated, 1 plugin left out`. */
  readonly headline: string;
  /** Whether something that was to come cannot: a person is told, also where nothing is updated. */
  readonly stopped: boolean;
  readonly changes: readonly PlannedChange[];
  readonly leftOut: readonly LeftOut[];
  /** Tag of the image that the site runs. */
  readonly fromImage: string;
  /** Tag of the image that it is to run; of a dry run, of the one that it runs. */
  readonly image: string;
  readonly manifest: Manifest;
  /** Plugins that Moodle uninstalls, with their data. */
  readonly deleteData: readonly string[];
  /** Whether the shared files change, so that they need a recovery point too. */
  readonly filesChange: boolean;
  readonly approval: boolean;
  readonly approvalSeconds: number;
  readonly maintenanceWindow: MaintenanceWindow | null;
  readonly snapshotRetentionDays: number;
}

/**
 * The plan as the update's row keeps it. The manifest is kept with the image: the Data API answers no row of more than
 * 64 KB, which the plan of a site with hundreds of plugins would be with it.
 */
export type KeptPlan = Omit<UpdatePlan, 'manifest'>;

/** What the state machine gives to the phases after *Find updates*. */
export interface UpdatePhaseInput {
  readonly site: string;
  readonly execution: string;
  readonly plan: UpdatePlan;
}

/** Plugins left out of the kept plan beyond these: the reasons of hundreds would be more than a row of the Data API. */
export const keptLeftOut = 50;

/** A reason as a person reads it, on one line. */
const whyCharacters = 250;

export const leaveOut = (component: string, why: string, stoppedBy?: LeftOut['stoppedBy']): LeftOut => ({
  component,
  why: why.length > whyCharacters ? `${why.slice(0, whyCharacters - 1)}…` : why,
  ...(stoppedBy ? { stoppedBy } : {}),
});

/** `mod_x 2025010100 → 2026010100 (1.2)` */
export function changeInWords({ component, from, to, release }: PlannedChange): string {
  const named = release && release !== String(to) ? ` (${release})` : '';
  if (from === null) return `${component} ${to}${named} added`;
  return to === null ? `${component} ${from} removed` : `${component} ${from} → ${to}${named}`;
}
