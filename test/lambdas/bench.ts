import { checkSite } from '../../lambdas/check-site.ts';
import { Wait } from '../../lambdas/shared/errors.ts';
import type { PhaseInput, Plan } from '../../lambdas/shared/plan.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';
import { Account } from './account.ts';

export const execution = 'arn:aws:states:eu-central-1:111122223333:execution:install:first';

export interface Done<Evidence> {
  readonly evidence: Evidence;
  /** What the phase threw while it waited, `name: message`. */
  readonly waits: string[];
}

/** Calls a phase as the state machine does: again after every wait, with what AWS does in the meantime. */
export async function untilDone<Evidence>(
  account: Account,
  phase: () => Promise<Evidence>,
  meanwhile: () => Promise<void> = () => account.settle(),
): Promise<Done<Evidence>> {
  const waits: string[] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return { evidence: await phase(), waits };
    } catch (error) {
      if (!(error instanceof Wait)) throw error;
      waits.push(`${error.name}: ${error.message}`);
      await meanwhile();
    }
  }
  throw new Error(`Not done after ${waits.length} waits: ${waits.at(-1)}`);
}

/** A site of its own per test, over one real database server per test file. */
export class Bench {
  readonly #server: LifecycleServer;

  private constructor(server: LifecycleServer) {
    this.#server = server;
  }

  static async open(): Promise<Bench> {
    return new Bench(await LifecycleServer.start());
  }

  async account(changes: Readonly<Record<string, string>> = {}): Promise<Account> {
    return new Account(await this.#server.database(), changes);
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** Takes the site for the execution, and gives what the later phases are given. */
export async function held(account: Account, input: object = {}, changes: Partial<Plan> = {}): Promise<PhaseInput> {
  account.executions.set(execution, 'RUNNING');
  const check = () => checkSite(account.clients, { site: 'campus', execution, input });
  const { evidence } = await untilDone(account, check, () => account.settleTasks());
  account.calls.length = 0;
  return { site: 'campus', execution, plan: { ...evidence.plan, ...changes } };
}
