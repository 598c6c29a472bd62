/**
 * Every way a phase can end other than well. The `name` is set by hand because it is the string that `Retry` and `Catch`
 * of the state machines compare with, and a bundler may rename classes.
 *
 * A message says what happened, where, what was left as it was, and what to do next; it never holds a secret.
 */
abstract class PhaseError extends Error {
  abstract override readonly name: ErrorName;
}

/** Not finished yet: the state machine calls the function again, until the state's attempts are used up. */
export abstract class Wait extends PhaseError {
  abstract override readonly name: WaitName;
}

/** The site is not in a condition that this rollout may touch. Nothing was changed. */
export abstract class Refusal extends PhaseError {
  abstract override readonly name: RefusalName;
}

/** Something that the phase needs did not work. */
export abstract class Failure extends PhaseError {
  abstract override readonly name: FailureName;
}

export const waitNames = [
  'DatabaseResuming',
  'DatabaseUnreachable',
  'AwsNotAnswering',
  'ImageStillBuilding',
  'NodeStillStarting',
  'InstallStillRunning',
  'AdministratorStillPending',
  'NodesStillBeingReplaced',
  'TaskStillRunning',
  'NodesNotYetHealthy',
  'CronNotYetRun',
  'PluginDirectoryNotAnswering',
  'SnapshotStillBeingTaken',
  'MaintenanceWindowClosed',
  'DatabaseStillBeingRestored',
] as const;

export const refusalNames = [
  'InputInvalid',
  'SiteHeld',
  'SiteStateUnknown',
  'UnfinishedInstall',
  'ExistingSiteMissing',
  'TablePrefixDiffers',
  'FilesElsewhere',
  'CacheNotAvailable',
  'SiteNotInstalled',
  'UpdateUnfinished',
  'UpdateNotPossible',
  'OlderThanDatabase',
  'SiteNotVerifiable',
] as const;

export const failureNames = [
  'DatabaseLoginRefused',
  'ImageBuildFailed',
  'NodeFailedToStart',
  'InstallFailed',
  'WizardRefused',
  'CacheStoreUnreachable',
  'SessionStoreUnreachable',
  'SessionsNotCopied',
  'NodesNotHealthy',
  'VerificationFailed',
  'PluginArchiveWrong',
  'SnapshotFailed',
  'UpgradeFailed',
  'DatabaseNotRestored',
  'HoldLost',
  'SettingMissing',
  'UnexpectedError',
] as const;

/** Why a person’s approval is missing: refused by `SendTaskFailure` on its token, or nobody answered in time. */
export const approvalNames = ['ApprovalRefused', 'ApprovalExpired'] as const;

export type WaitName = (typeof waitNames)[number];
export type RefusalName = (typeof refusalNames)[number];
export type FailureName = (typeof failureNames)[number];
export type ErrorName = WaitName | RefusalName | FailureName;

/** Aurora Serverless is starting again after its pause; about 15 s, longer after a day. */
export class DatabaseResuming extends Wait {
  override readonly name = 'DatabaseResuming';
}

/** No answer from the database. */
export class DatabaseUnreachable extends Wait {
  override readonly name = 'DatabaseUnreachable';
}

/** An AWS API throttled or failed on its side, also after the client's own retries. */
export class AwsNotAnswering extends Wait {
  override readonly name = 'AwsNotAnswering';
}

export class ImageStillBuilding extends Wait {
  override readonly name = 'ImageStillBuilding';
}

export class NodeStillStarting extends Wait {
  override readonly name = 'NodeStillStarting';
}

export class InstallStillRunning extends Wait {
  override readonly name = 'InstallStillRunning';
}

/** The operator has not yet completed Moodle's wizard. */
export class AdministratorStillPending extends Wait {
  override readonly name = 'AdministratorStillPending';
}

export class NodesStillBeingReplaced extends Wait {
  override readonly name = 'NodesStillBeingReplaced';
}

/** A one-off task has not stopped yet. */
export class TaskStillRunning extends Wait {
  override readonly name = 'TaskStillRunning';
}

export class NodesNotYetHealthy extends Wait {
  override readonly name = 'NodesNotYetHealthy';
}

/** Moodle's cron has not run since this rollout began. */
export class CronNotYetRun extends Wait {
  override readonly name = 'CronNotYetRun';
}

/** Moodle's plugin directory, or the place of an archive, gives no answer that can be used now. */
export class PluginDirectoryNotAnswering extends Wait {
  override readonly name = 'PluginDirectoryNotAnswering';
  /** In a few words, for a plugin that is left out for it. */
  readonly why: string;

  constructor(message: string, why: string) {
    super(message);
    this.why = why;
  }
}

/** The snapshot of the database, or the recovery point of the files. */
export class SnapshotStillBeingTaken extends Wait {
  override readonly name = 'SnapshotStillBeingTaken';
}

/** The upgrade needs maintenance mode, and the time in which it may is not now. */
export class MaintenanceWindowClosed extends Wait {
  override readonly name = 'MaintenanceWindowClosed';
}

/** A restore, or the exchange of the database for the restored one. */
export class DatabaseStillBeingRestored extends Wait {
  override readonly name = 'DatabaseStillBeingRestored';
}

export class InputInvalid extends Refusal {
  override readonly name = 'InputInvalid';
}

/** Another rollout that is still running holds the site. */
export class SiteHeld extends Refusal {
  override readonly name = 'SiteHeld';
}

/** The database says neither installed, nor absent, nor an install of ours. */
export class SiteStateUnknown extends Refusal {
  override readonly name = 'SiteStateUnknown';
}

/** An unfinished install that may not be cleared or finished by this rollout. */
export class UnfinishedInstall extends Refusal {
  override readonly name = 'UnfinishedInstall';
}

/** The rollout was told that a site was brought here, and the database holds no finished Moodle. */
export class ExistingSiteMissing extends Refusal {
  override readonly name = 'ExistingSiteMissing';
}

/** The database holds a Moodle whose tables begin with another prefix than the site was deployed with. */
export class TablePrefixDiffers extends Refusal {
  override readonly name = 'TablePrefixDiffers';
}

/** A site was brought here that keeps its files in an object storage. */
export class FilesElsewhere extends Refusal {
  override readonly name = 'FilesElsewhere';
}

export class CacheNotAvailable extends Refusal {
  override readonly name = 'CacheNotAvailable';
}

/** There is no finished Moodle to update. */
export class SiteNotInstalled extends Refusal {
  override readonly name = 'SiteNotInstalled';
}

/** A plugin update stopped in the middle, which only a plugin update may put back or finish. */
export class UpdateUnfinished extends Refusal {
  override readonly name = 'UpdateUnfinished';
}

/** What was asked for cannot be had: an unknown plugin, none for this Moodle, another branch. */
export class UpdateNotPossible extends Refusal {
  override readonly name = 'UpdateNotPossible';
}

/** Older code than the database was upgraded by. Moodle cannot run it. */
export class OlderThanDatabase extends Refusal {
  override readonly name = 'OlderThanDatabase';
}

/** The site is in a state in which no rollout could prove that it works afterwards. */
export class SiteNotVerifiable extends Refusal {
  override readonly name = 'SiteNotVerifiable';
}

/** The database does not accept the user and password of its secret. */
export class DatabaseLoginRefused extends Failure {
  override readonly name = 'DatabaseLoginRefused';
}

export class ImageBuildFailed extends Failure {
  override readonly name = 'ImageBuildFailed';
}

export class NodeFailedToStart extends Failure {
  override readonly name = 'NodeFailedToStart';
}

export class InstallFailed extends Failure {
  override readonly name = 'InstallFailed';
}

/** Moodle's wizard does not go on for the operator's address, or goes on for another. */
export class WizardRefused extends Failure {
  override readonly name = 'WizardRefused';
}

export class CacheStoreUnreachable extends Failure {
  override readonly name = 'CacheStoreUnreachable';
}

export class SessionStoreUnreachable extends Failure {
  override readonly name = 'SessionStoreUnreachable';
}

export class SessionsNotCopied extends Failure {
  override readonly name = 'SessionsNotCopied';
}

export class NodesNotHealthy extends Failure {
  override readonly name = 'NodesNotHealthy';
}

export class VerificationFailed extends Failure {
  override readonly name = 'VerificationFailed';
}

/** The archive of a plugin does not have its checksum, or is none. */
export class PluginArchiveWrong extends Failure {
  override readonly name = 'PluginArchiveWrong';
  /** In a few words, for a plugin that is left out for it. */
  readonly why: string;

  constructor(message: string, why: string) {
    super(message);
    this.why = why;
  }
}

export class SnapshotFailed extends Failure {
  override readonly name = 'SnapshotFailed';
}

/** Moodle's upgrade, or the uninstalling of a plugin, ended with an error. */
export class UpgradeFailed extends Failure {
  override readonly name = 'UpgradeFailed';
}

/** The database could not be brought back to where it was before the upgrade. */
export class DatabaseNotRestored extends Failure {
  override readonly name = 'DatabaseNotRestored';
}

/** Another rollout has taken the site over; this one writes nothing any more. */
export class HoldLost extends Failure {
  override readonly name = 'HoldLost';
}

/** The function was deployed without an environment variable that it reads. */
export class SettingMissing extends Failure {
  override readonly name = 'SettingMissing';
}

/** Anything that no phase foresaw, with the original error's name in the message. */
export class UnexpectedError extends Failure {
  override readonly name = 'UnexpectedError';
}

/** Whether an error is one of this file, also after it crossed a bundle's boundary. */
export function isPhaseError(error: unknown): error is PhaseError {
  return error instanceof PhaseError;
}
