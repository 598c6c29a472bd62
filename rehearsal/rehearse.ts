import { SFNClient } from '@aws-sdk/client-sfn';
import { type Account, openAccount } from './account.ts';
import type { MoodleSource } from './moodle/source.ts';

export interface RehearsalRequest {
  /** Folder for everything that the rehearsal writes; what is there already is gone on from. Absolute. */
  readonly directory: string;
  readonly moodle: MoodleSource;
  readonly pace: number;
  /** Folder that the CDK app was synthesised into. */
  readonly cloudAssembly: string;
}

/** A site of the make-believe account, deployed and ready for a rollout. */
export interface Rehearsal {
  readonly account: Account;
  readonly stepFunctions: SFNClient;
  readonly installStateMachineArn: string;
  /** Stops every process that the rehearsal started. */
  close(): Promise<void>;
}

/**
 * Deploys a synthesised app to a make-believe account.
 *
 * @throws Error when a template has something that a rehearsal does not know
 */
export async function openRehearsal(request: RehearsalRequest): Promise<Rehearsal> {
  const account = await openAccount({
    directory: request.directory,
    cdkOut: request.cloudAssembly,
    pace: request.pace,
    moodle: request.moodle,
  });
  try {
    await account.start();
  } catch (error) {
    await account.close();
    throw error;
  }
  return {
    account,
    stepFunctions: new SFNClient(account.clientConfiguration),
    installStateMachineArn: account.output('InstallStateMachineArn'),
    close: () => account.close(),
  };
}
