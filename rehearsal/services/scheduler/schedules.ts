import { perWorld } from '../../per-world.ts';
import type { Expression } from './expression.ts';

/** A schedule of the templates. */
export interface Schedule {
  readonly arn: string;
  readonly name: string;
  readonly groupName: string;
  readonly description?: string;
  /** As it was given, for example `cron(0 3 ? * SUN *)`. */
  readonly expressionText: string;
  readonly expression: Expression;
  readonly timeZone: string;
  readonly state: 'ENABLED' | 'DISABLED';
  /** A time is put off by chance up to so many minutes; 0: never. */
  readonly flexibleMinutes: number;
  readonly target: Target;
  readonly created: Date;
}

/** What a schedule starts: an execution of a state machine, with its role. */
export interface Target {
  readonly arn: string;
  readonly roleArn: string;
  readonly input?: string;
  readonly deadLetterArn?: string;
  /** As the template has it, for the API. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** By ARN. */
export const schedulesOf = perWorld(() => new Map<string, Schedule>());
export const scheduleGroupsOf = perWorld(() => new Set<string>(['default']));
