import { type Rollout, write } from './hold.ts';
import {
  type MoodleDatabase,
  numberOrNull,
  type SqlParameters,
  type SqlStatements,
  text,
  textOrNull,
} from './moodle-database.ts';
import { type KeptPlan, keptLeftOut, type UpdatePlan } from './update-plan.ts';

/** How far an update is. Until `upgrading` nothing of the site was changed. */
export type UpdateStage = 'planned' | 'upgrading' | 'upgraded' | 'rolled' | 'putting back' | 'done' | 'put back';

/** What is known of an update that has begun and not ended. Moments are seconds since 1970 by the database's clock. */
export interface UpdateRun {
  /** The execution that works on it. */
  readonly execution: string;
  /** The execution that began it: another where one was taken over. Names of database copies follow from it. */
  readonly origin: string;
  readonly stage: UpdateStage;
  readonly plan: KeptPlan;
  readonly snapshot: string | null;
  /** Fingerprint of Moodle's schema before the upgrade. */
  readonly schemaBefore: string | null;
  /** What of the database was put back without restoring it. */
  readonly databaseBack: string | null;
  readonly maintenanceRequired: boolean;
  /** When maintenance stood, before the first change of the upgrade. */
  readonly maintenanceSince: number | null;
  readonly upgradeStartedAt: number | null;
  /** When Moodle’s upgrade was done and proven. */
  readonly upgradeEndedAt: number | null;
  readonly maintenanceEndedAt: number | null;
}

/** The site's open row: at most one, as only the rollout that holds the site opens one. */
export async function readOpenRun(statements: SqlStatements, site: string): Promise<UpdateRun | undefined> {
  const { epoch } = statements.dialect;
  const [row] = await statements.query(
    `SELECT execution, origin, stage, plan, snapshot, schema_before, database_back, maintenance_required,
            ${epoch('maintenance_since')} AS maintenance_since, ${epoch('upgrade_started_at')} AS upgrade_started_at,
            ${epoch('upgrade_ended_at')} AS upgrade_ended_at, ${epoch('maintenance_ended_at')} AS maintenance_ended_at
       FROM moodle_lifecycle.update_run WHERE site = :site AND finished_at IS NULL`,
    { site },
  );
  if (!row) return undefined;
  return {
    execution: text(row, 'execution'),
    origin: text(row, 'origin'),
    stage: text(row, 'stage') as UpdateStage,
    plan: JSON.parse(text(row, 'plan')),
    snapshot: textOrNull(row, 'snapshot'),
    schemaBefore: textOrNull(row, 'schema_before'),
    databaseBack: textOrNull(row, 'database_back'),
    maintenanceRequired: row.maintenance_required === true || row.maintenance_required === 1,
    maintenanceSince: numberOrNull(row, 'maintenance_since'),
    upgradeStartedAt: numberOrNull(row, 'upgrade_started_at'),
    upgradeEndedAt: numberOrNull(row, 'upgrade_ended_at'),
    maintenanceEndedAt: numberOrNull(row, 'maintenance_ended_at'),
  };
}

/** The open row, which this execution has. */
export async function readOwnRun(statements: SqlStatements, rollout: Rollout): Promise<UpdateRun> {
  const run = await readOpenRun(statements, rollout.site);
  if (run?.execution === rollout.execution) return run;
  throw new TypeError(`The row of this update is gone; the open one is ${run ? `of ${run.execution}` : 'none'}.`);
}

/** Whether the site itself may have been changed. */
export const hasTouchedSite = ({ stage }: UpdateRun) => stage !== 'planned';

/** Whether the upgrade is done, also where its execution was stopped before it heard so, and only what follows is left. */
export const isUpgraded = ({ stage, upgradeEndedAt }: UpdateRun) =>
  stage === 'upgraded' || stage === 'rolled' || (stage === 'upgrading' && upgradeEndedAt !== null);

/** @throws HoldLost */
export async function openRun(
  database: MoodleDatabase,
  rollout: Rollout,
  { manifest: _, ...plan }: UpdatePlan,
): Promise<void> {
  const { now, json, orNothing } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.update_run (site, execution, origin, stage, plan, started_at)
     SELECT :site, :execution, :execution, 'planned', ${json(':plan')}, ${now} WHERE {held}
     ${orNothing(['site', 'execution'])}`,
    { plan: JSON.stringify({ ...plan, leftOut: plan.leftOut.slice(0, keptLeftOut) }) },
    { orNone: true },
  );
}

/** Writes into the open row, which this execution has. @throws HoldLost */
async function change(
  database: MoodleDatabase,
  rollout: Rollout,
  values: string,
  parameters: SqlParameters,
  more = '',
): Promise<void> {
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.update_run SET ${values}
      WHERE site = :site AND execution = :execution AND finished_at IS NULL ${more} AND {held}`,
    parameters,
    { orNone: true },
  );
}

/** Makes the open row of an execution that is over this one's. @throws HoldLost */
export async function adoptRun(database: MoodleDatabase, rollout: Rollout, earlier: string): Promise<void> {
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.update_run SET execution = :execution
      WHERE site = :site AND execution = :earlier AND finished_at IS NULL AND {held}`,
    { earlier },
    { orNone: true },
  );
}

/** @throws HoldLost */
export function setStage(
  database: MoodleDatabase,
  rollout: Rollout,
  stage: Exclude<UpdateStage, 'done' | 'put back'>,
): Promise<void> {
  return change(database, rollout, 'stage = :stage', { stage });
}

/** @throws HoldLost */
export function rememberSnapshot(database: MoodleDatabase, rollout: Rollout, snapshot: string): Promise<void> {
  return change(database, rollout, 'snapshot = :snapshot', { snapshot });
}

/** Kept before the first change of the site, and not written again by a repeated call. @throws HoldLost */
export function beginUpgrading(
  database: MoodleDatabase,
  rollout: Rollout,
  { schemaBefore, maintenanceRequired }: Pick<UpdateRun, 'schemaBefore' | 'maintenanceRequired'>,
): Promise<void> {
  const maintenance = maintenanceRequired ? 'TRUE' : 'FALSE';
  return change(
    database,
    rollout,
    `stage = 'upgrading', schema_before = :schemaBefore, maintenance_required = ${maintenance}`,
    { schemaBefore },
    `AND stage = 'planned'`,
  );
}

/**
 * Closes the open row, and gives it back to the execution that began it: one that took it over may open a row of its own.
 *
 * @throws HoldLost
 */
export function finishRun(database: MoodleDatabase, rollout: Rollout, stage: 'done' | 'put back'): Promise<void> {
  const { now } = database.dialect;
  return change(database, rollout, `stage = :stage, finished_at = ${now}, execution = origin`, { stage });
}
