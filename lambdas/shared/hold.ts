import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { BeforeRollout } from './before-rollout.ts';
import { HoldLost, SiteHeld } from './errors.ts';
import {
  type MoodleDatabase,
  number,
  type SqlParameters,
  type SqlStatements,
  text,
  textOrNull,
} from './moodle-database.ts';

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
  /** The person who holds the site; undefined: a rollout holds it, and only as long as it runs. */
  readonly operator: string | undefined;
  /** The unfinished rollout that held the site before that person, and has it back when the person lets go. */
  readonly beneath: string | undefined;
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
    `SELECT execution, ${statements.dialect.epoch('since')} AS since, reason, before_rollout, operator, beneath
       FROM moodle_lifecycle.rollout_hold WHERE site = :site`,
    { site },
  );
  if (!row) return undefined;
  return {
    execution: text(row, 'execution'),
    since: number(row, 'since'),
    reason: text(row, 'reason'),
    before: JSON.parse(text(row, 'before_rollout')),
    operator: textOrNull(row, 'operator') ?? undefined,
    beneath: textOrNull(row, 'beneath') ?? undefined,
  };
}

/** @throws HoldLost when another execution, or none, holds the site */
export async function assertHeld(statements: SqlStatements, rollout: Rollout): Promise<Hold> {
  const hold = await readHold(statements, rollout.site);
  if (hold?.execution === rollout.execution) return hold;
  throw holdLost(rollout, hold?.execution);
}

/**
 * Takes the site when nobody holds it, when this execution holds it already, or when the holder is `abandoned`, a
 * rollout known to be over: each by one conditional statement, so that of two only one has it. A person's hold is never
 * taken over. On a take-over the state before the first of these rollouts is
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
  const foreign = await abandonedHold(executions, rollout, holder);
  const kept = foreign ? inherit(foreign.before) : (holder?.before ?? before);
  const { now, json, orNothing } = database.dialect;
  const taken = { ...rollout, reason, before: JSON.stringify(kept) };
  if (foreign) {
    await database.execute(
      `UPDATE moodle_lifecycle.rollout_hold
          SET execution = :execution, since = ${now}, reason = :reason, before_rollout = ${json(':before')}
        WHERE site = :site AND execution = :abandoned`,
      { ...taken, abandoned: foreign.execution },
    );
  }
  await database.execute(
    `INSERT INTO moodle_lifecycle.rollout_hold (site, execution, since, reason, before_rollout)
     VALUES (:site, :execution, ${now}, :reason, ${json(':before')}) ${orNothing(['site'])}`,
    taken,
  );
  const hold = await readHold(database, rollout.site);
  if (hold?.execution !== rollout.execution) throw siteHeld(rollout, hold);
  return { hold, takenOverFrom: foreign?.execution, isNew: holder === undefined };
}

/**
 * Takes the site for a person, who keeps it though the execution that asks for it ends. An unfinished rollout's hold is
 * not lost by that: it lies beneath until the person lets go.
 *
 * @throws SiteHeld when a rollout that is running, or a person, holds the site
 */
export async function takeOperatorHold(
  database: MoodleDatabase,
  executions: SFNClient,
  asking: Rollout,
  operator: string,
  reason: string,
): Promise<Hold> {
  const holder = await readHold(database, asking.site);
  const abandoned = await abandonedHold(executions, asking, holder);
  const { now, json, orNothing } = database.dialect;
  const taken = { ...asking, reason, operator };
  if (abandoned) {
    // First what keeps the old value: MySQL sets one column after the other.
    await database.execute(
      `UPDATE moodle_lifecycle.rollout_hold
          SET beneath = execution, execution = :execution, since = ${now}, reason = :reason, operator = :operator
        WHERE site = :site AND execution = :abandoned`,
      { ...taken, abandoned: abandoned.execution },
    );
  }
  await database.execute(
    `INSERT INTO moodle_lifecycle.rollout_hold (site, execution, since, reason, before_rollout, operator)
     VALUES (:site, :execution, ${now}, :reason, ${json("'{}'")}, :operator) ${orNothing(['site'])}`,
    taken,
  );
  const hold = await readHold(database, asking.site);
  if (hold?.execution !== asking.execution) throw siteHeld(asking, hold);
  return hold;
}

/**
 * Ends a person's hold, whoever that is. What lay beneath holds the site again.
 *
 * @returns the hold that was ended, or undefined where no person held the site
 */
export async function releaseOperatorHold(database: MoodleDatabase, site: string): Promise<Hold | undefined> {
  const hold = await readHold(database, site);
  if (hold?.operator === undefined) return undefined;
  const mine = { site, execution: hold.execution };
  if (hold.beneath === undefined) {
    await database.execute(
      'DELETE FROM moodle_lifecycle.rollout_hold WHERE site = :site AND execution = :execution',
      mine,
    );
  } else {
    await database.execute(
      `UPDATE moodle_lifecycle.rollout_hold
          SET execution = beneath, operator = NULL, beneath = NULL, reason = 'unfinished before an operator held the site'
        WHERE site = :site AND execution = :execution`,
      mine,
    );
  }
  return hold;
}

/**
 * Writes only while this execution holds the site. The statement has `{held}` where its condition belongs.
 *
 * @returns how many rows were written; with `orNone` that may be none: when there was nothing to write, or when MySQL
 * found the row to be so already
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

/** Corrects what the rollout found. @throws HoldLost */
export async function amendHold(statements: SqlStatements, rollout: Rollout, before: BeforeRollout): Promise<void> {
  // MySQL refuses to read a table in a condition of its own UPDATE; this row is itself the condition.
  const written = await statements.execute(
    `UPDATE moodle_lifecycle.rollout_hold SET before_rollout = ${statements.dialect.json(':before')}
      WHERE site = :site AND execution = :execution`,
    { ...rollout, before: JSON.stringify(before) },
  );
  if (written === 0) await assertHeld(statements, rollout);
}

/**
 * Takes the site again after its database was restored to when an execution held it that this one had taken it over
 * from. By one conditional statement: whoever else has taken it over since keeps it.
 */
export async function takeHoldAgain(
  database: MoodleDatabase,
  { site, execution }: Rollout,
  over: string,
): Promise<void> {
  await database.execute(
    'UPDATE moodle_lifecycle.rollout_hold SET execution = :execution WHERE site = :site AND execution = :over',
    { site, execution, over },
  );
}

/** @returns whether a row of this execution was there */
export async function releaseHold(database: MoodleDatabase, rollout: Rollout): Promise<boolean> {
  const released = await database.execute(
    'DELETE FROM moodle_lifecycle.rollout_hold WHERE site = :site AND execution = :execution',
    { ...rollout },
  );
  return released > 0;
}

/**
 * The hold of another rollout that is over.
 *
 * @throws SiteHeld when the holder is a rollout that is running, or a person
 */
async function abandonedHold(
  executions: SFNClient,
  asking: Rollout,
  holder: Hold | undefined,
): Promise<Hold | undefined> {
  if (holder === undefined || holder.execution === asking.execution) return undefined;
  if (holder.operator !== undefined || (await isRunning(executions, holder.execution))) throw siteHeld(asking, holder);
  return holder;
}

/** @throws SiteHeld when another rollout that is running, or a person, holds the site */
export async function assertNotHeld(database: MoodleDatabase, executions: SFNClient, asking: Rollout): Promise<void> {
  await abandonedHold(executions, asking, await readHold(database, asking.site));
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

function siteHeld({ site }: Rollout, hold: Hold | undefined): SiteHeld {
  const since = hold ? `since ${new Date(hold.since * 1000).toISOString()} (reason: ${hold.reason})` : '';
  if (hold?.operator !== undefined) {
    return new SiteHeld(
      `The site ${site} is held by the operator ${hold.operator} ${since}. Nothing was changed. Ask whether it may be ` +
        'released (npx lifecycle release), and start again.',
    );
  }
  const who = hold
    ? `held by ${hold.execution} ${since}, which is still running`
    : 'held by another rollout that ended just now';
  return new SiteHeld(
    `The site ${site} is ${who}. Nothing was changed. Wait for that execution to end, or stop it, and start again.`,
  );
}

export function holdLost(rollout: Rollout, holder: string | undefined): HoldLost {
  return new HoldLost(
    `The site ${rollout.site} is no longer held by this execution but by ${holder ?? 'none'}. This rollout wrote ` +
      'nothing more and puts nothing back. Follow the execution that holds the site, or start the rollout again.',
  );
}
