import { type Database, openDatabase } from '../database.ts';
import { acknowledge, readNodeId } from '../node.ts';
import { say, wordsOf } from '../say.ts';
import type { Settings } from '../settings.ts';

/** What a one-off role found out; `problem` in plain words when it is not `ok`. */
export type Outcome = { readonly ok: boolean; readonly problem?: string } & Readonly<Record<string, unknown>>;

/** A problem of which there is more to tell than words. */
export class RoleProblem extends Error {
  readonly details: Readonly<Record<string, unknown>>;

  constructor(problem: string, details: Readonly<Record<string, unknown>>) {
    super(problem);
    this.details = details;
  }
}

/**
 * Runs a one-off role and writes its outcome as the acknowledgement of that subject.
 * @returns the exit code: 0 when it is ok, else 1
 */
export async function runOneOff(
  role: string,
  settings: Settings,
  work: (database: Database, node: string) => Promise<Outcome>,
): Promise<number> {
  const node = await readNodeId(settings.metadataUri);
  const database = await openDatabase(settings);
  try {
    const outcome = await work(database, node).catch(
      (error): Outcome => ({
        ok: false,
        problem: wordsOf(error),
        ...(error instanceof RoleProblem ? error.details : {}),
      }),
    );
    await acknowledge(database, settings, node, role, outcome);
    say(`${role}: ${JSON.stringify(outcome)}`);
    return outcome.ok ? 0 : 1;
  } finally {
    await database.close();
  }
}
