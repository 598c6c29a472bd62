import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { BeforeRollout } from './before-rollout.ts';
import { HoldLost, SiteHeld } from './errors.ts';
import { type MoodleDatabase, number, type SqlParameters, type SqlStatements, text } from './moodle-database.ts';

/** One rollout: the site it works on and the ARN of the execution that works on it. */
export interface Rollout {
  readonly site: string;
  readonly execution: string;
}

export interface Hold {
  readonly execution: string;
  /** Seconds since 1970. */
  readonly since: number;
  readonly reason: string;
  readonly before: BeforeRollout;
}

export interface TakenHold {
  readonly hold: Hold;
  readonly takenOverFrom: string | undefined;
  /** Whether nobody held the site before this call. */
  readonly isNew: boolean;
}

/** Condition of every statement with which a phase writes: the site is still held by this execution. */
const held = `EXISTS (SELECT 1 FROM moodle_lifecycle.rollout_hold
                       WHERE rollout_hold.site = :site AND rollout_hold.execution = :execution)`;

export async function readHold(statements: SqlStatements, site: string): Promise<Hold | undefined> {
  const [row] = await statements.query(
    `SELECT execution, extract(epoch FROM since)::float8 AS since, reason, before_rollout::text AS before_rollout
       FROM moodle_lifecycle.rollout_hold WHERE site = :site`,
    { site },
  );
  if (!row) return undefined;
  return {
    execution: text(row, 'execution'),
    since: number(row, 'since'),
    reason: text(row, 'reason'),
    before: JSON.parse(text(row, 'before_rollout')),
  };
}

/** @throws HoldLost when another execution, or none, holds the site */
export async function assertHeld(statements: SqlStatements, rollout: Rollout): Promise<Hold> {
  const hold = await readHold(statements, rollout.site);
  if (hold?.execution === rollout.execution) return hold;
  throw holdLost(rollout, hold?.execution);
}

/**
 * Takes the site by one conditional statement: when nobody holds it, when this execution holds it already, or when the
 * holder is `abandoned`, an execution known to be over. On a take-over the state before the first of these rollouts is
 * kept, as amended by `inherit`, because that is what a way back has to bring again.
 *
 * @throws SiteHeld when another execution holds the site
 */
export async function takeHold(
  database: MoodleDatabase,
  executions: SFNClient,
  rollout: Rollout,
  reason: string,
  before: BeforeRollout,
  inherit: (earlier: BeforeRollout) => BeforeRollout = (earlier) => earlier,
): Promise<TakenHold> {
  const holder = await readHold(database, rollout.site);
  const foreign = holder && holder.execution !== rollout.execution ? holder : undefined;
  if (foreign && (await isRunning(executions, foreign.execution))) throw siteHeld(rollout, foreign);
  const kept = foreign ? inherit(foreign.before) : (holder?.before ?? before);
  await database.execute(
    `INSERT INTO moodle_lifecycle.rollout_hold (site, execution, since, reason, before_rollout)
     VALUES (:site, :execution, now(), :reason, CAST(:before AS jsonb))
     ON CONFLICT (site) DO UPDATE
        SET execution = EXCLUDED.execution, since = EXCLUDED.since, reason = EXCLUDED.reason,
            before_rollout = EXCLUDED.before_rollout
      WHERE rollout_hold.execution = CAST(:abandoned AS text)`,
    { ...rollout, reason, before: JSON.stringify(kept), abandoned: foreign?.execution ?? null },
  );
  const hold = await readHold(database, rollout.site);
  if (hold?.execution !== rollout.execution) throw siteHeld(rollout, hold);
  return { hold, takenOverFrom: foreign?.execution, isNew: holder === undefined };
}

/**
 * Writes only while this execution holds the site. The statement has `{held}` where its condition belongs.
 *
 * @returns how many rows were written; with `orNone` that may be none
 * @throws HoldLost when the site is not held by this execution any more; nothing was written then
 */
export async function write(
  statements: SqlStatements,
  rollout: Rollout,
  sql: string,
  parameters: SqlParameters = {},
  { orNone = false } = {},
): Promise<number> {
  if (!sql.includes('{held}')) throw new TypeError('A statement of a phase carries the condition {held}.');
  const written = await statements.execute(sql.replaceAll('{held}', held), { ...rollout, ...parameters });
  if (written > 0) return written;
  await assertHeld(statements, rollout);
  if (!orNone) throw new TypeError('A statement that has to write a row wrote none, though the site is held.');
  return 0;
}

/** @returns whether a row of this execution was there */
export async function releaseHold(database: MoodleDatabase, rollout: Rollout): Promise<boolean> {
  const released = await database.execute(
    'DELETE FROM moodle_lifecycle.rollout_hold WHERE site = :site AND execution = :execution',
    { ...rollout },
  );
  return released > 0;
}

/** An execution that waits to be redriven may still write; one that Step Functions does not know cannot. */
async function isRunning(executions: SFNClient, execution: string): Promise<boolean> {
  try {
    const { status } = await executions.send(new DescribeExecutionCommand({ executionArn: execution }));
    return status === 'RUNNING' || status === 'PENDING_REDRIVE';
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'ExecutionDoesNotExist' || name === 'InvalidArn') return false;
    throw error;
  }
}

function siteHeld(rollout: Rollout, hold: Hold | undefined): SiteHeld {
  const who = hold
    ? `${hold.execution} since ${new Date(hold.since * 1000).toISOString()} (reason: ${hold.reason})`
    : 'another rollout that ended just now';
  return new SiteHeld(
    `The site ${rollout.site} is held by ${who}, which is still running. This rollout changed nothing. Wait for that ` +
      'execution to end, or stop it, and start this one again.',
  );
}

export function holdLost(rollout: Rollout, holder: string | undefined): HoldLost {
  return new HoldLost(
    `The site ${rollout.site} is no longer held by this execution but by ${holder ?? 'none'}. This rollout wrote ` +
      'nothing more and puts nothing back. Follow the execution that holds the site, or start the rollout again.',
  );
}
