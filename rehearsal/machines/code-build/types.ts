export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
}

/** What of a build project a rehearsal needs. */
export interface Project {
  readonly name: string;
  readonly arn: string;
  readonly serviceRole: string;
  /** `<bucket>/<key>` of the source, an asset of the cloud assembly. */
  readonly sourceLocation: string;
  readonly environmentVariables: readonly EnvironmentVariable[];
  /** Environment variables that the build gives back (`exported-variables` of the build specification). */
  readonly exportedVariables: readonly string[];
  /** Of CloudWatch Logs. */
  readonly logGroup: string;
}

export type BuildStatus = 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'IN_PROGRESS';

export interface Phase {
  readonly phaseType: string;
  readonly startTime: number;
  endTime?: number;
  phaseStatus?: BuildStatus;
  message?: string;
}

/** A build; moments are milliseconds since 1970. */
export interface Build {
  readonly id: string;
  readonly arn: string;
  readonly projectName: string;
  readonly buildNumber: number;
  readonly startTime: number;
  endTime?: number;
  buildStatus: BuildStatus;
  readonly phases: Phase[];
  readonly environmentVariables: readonly EnvironmentVariable[];
  exportedEnvironmentVariables: readonly EnvironmentVariable[];
  readonly logFile: string;
  readonly idempotencyToken?: string;
}
