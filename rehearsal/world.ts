import type { MoodleSource } from './moodle/source.ts';
import type { State } from './state.ts';

/** The make-believe account and region that one rehearsal stands for, and what all its parts share. */
export interface World {
  readonly account: string;
  readonly region: string;
  readonly partition: 'aws';
  /** Folder of everything this rehearsal writes: databases, shared files, logs, state. Absolute. */
  readonly directory: string;
  /** Folder of the synthesised cloud assembly, whose assets the resources name by hash. Absolute. */
  readonly cloudAssembly: string;
  /** Address of the AWS endpoint, for example `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** AWS's own waits (health-check intervals, draining, retry intervals) pass this many times faster. */
  readonly pace: number;
  readonly moodle: MoodleSource;
  readonly state: State;
  /** PEM file of the certificate authority that signed the make-believe Aurora and ElastiCache certificates. */
  readonly certificateAuthorityFile: string;
  /** Milliseconds that an AWS wait of so many seconds takes here. */
  scaled(seconds: number): number;
  /** Work to be undone when the rehearsal ends, run in reverse order. */
  onClose(work: () => Promise<void> | void): void;
}

/** `arn:aws:<service>:<region>:<account>:<resource>` of the make-believe account. */
export function arn(world: Pick<World, 'partition' | 'region' | 'account'>, service: string, resource: string): string {
  return `arn:${world.partition}:${service}:${world.region}:${world.account}:${resource}`;
}
