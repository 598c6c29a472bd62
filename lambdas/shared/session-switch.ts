import type { ECSClient } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { readServing } from './acknowledgements.ts';
import { NodesNotHealthy, SessionsNotCopied } from './errors.ts';
import { assertHeld, type Rollout, write } from './hold.ts';
import { type MoodleDatabase, type SqlStatements, text } from './moodle-database.ts';
import { nodeId, readReplacement, replaceNodes, type ServiceChange } from './nodes.ts';
import { writeParameters } from './parameters.ts';
import type { SessionStore, Settings } from './settings.ts';
import { setStickiness, stickyWhileMoving, usualStickiness } from './stickiness.ts';
import { runTask } from './tasks.ts';

export interface SwitchingClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly balancer: ElasticLoadBalancingV2Client;
  readonly settings: Settings;
}

export interface SessionSwitch {
  readonly from: SessionStore;
  readonly to: SessionStore;
  /** Names the rows of tasks and of the replacement: one switch per purpose of an execution. */
  readonly purpose: string;
  /** What else the replacement changes at the service. */
  readonly change?: ServiceChange;
}

export interface SwitchedSessions {
  readonly copied: number;
  readonly moved: number;
  /** Sessions that the other store cannot hold: their users sign in again. */
  readonly tooLarge: number;
  readonly nodes: number;
}

/**
 * Moves live sessions from one store to another, so that nobody is logged out: copy them; from then on let every new
 * node move what a request still finds in the old store, with clients kept on their node; flip the setting; replace the
 * nodes one for one; move what no request has asked for.
 *
 * @throws TaskStillRunning, NodesStillBeingReplaced until it is done
 * @throws SessionsNotCopied, NodesNotHealthy, HoldLost
 */
export async function switchSessions(
  clients: SwitchingClients,
  rollout: Rollout,
  { from, to, purpose, change = {} }: SessionSwitch,
): Promise<SwitchedSessions> {
  const { database, ssm, balancer, settings } = clients;
  const copied = await copySessions(clients, rollout, copyPurpose(purpose), [from, to]);

  if (!(await readReplacement(database, rollout, purpose))) {
    await openMigration(database, rollout, from, to);
    await setStickiness(balancer, settings, stickyWhileMoving(settings));
    await writeParameters(ssm, settings, { 'session-store': to });
  }
  const nodes = await replaceNodes(clients, rollout, purpose, change);
  await assertSessionStore(clients, rollout.site, nodes.map(nodeId), to);

  const moved = await copySessions(clients, rollout, `${purpose}: move`, [from, to, '--move']);
  await closeMigration(database, rollout);
  await setStickiness(balancer, settings, usualStickiness(settings));
  // Those that the first task found are there for the last one too, unless their users came by.
  const tooLarge = Math.max(copied.tooLarge, moved.tooLarge);
  return { copied: copied.carried, moved: moved.carried, tooLarge, nodes: nodes.length };
}

/** Under which a switch's first task is run. */
export const copyPurpose = (purpose: string) => `${purpose}: copy`;

async function copySessions(
  clients: SwitchingClients,
  rollout: Rollout,
  purpose: string,
  words: readonly string[],
): Promise<{ carried: number; tooLarge: number }> {
  const report = await runTask(clients, rollout, purpose, ['copy-sessions', ...words]);
  if (report.ok) return { carried: Number(report.copied ?? 0), tooLarge: Number(report.tooLarge ?? 0) };
  throw new SessionsNotCopied(
    `Sessions could not be copied from ${words[0]} to ${words[1]}: ${report.problem}. The source was left as it was. ` +
      'Mend the cause (the task’s log has more) and start the rollout again.',
  );
}

/** Every one of these nodes has acknowledged the store. A node acknowledges before it serves. */
async function assertSessionStore(
  { database }: SwitchingClients,
  site: string,
  nodes: readonly string[],
  wanted: SessionStore,
): Promise<void> {
  const serving = await readServing(database, site, nodes);
  const others = nodes.filter((node) => serving.get(node)?.sessionStore !== wanted);
  if (others.length === 0) return;
  const says = others.map((node) => `${node.slice(0, 8)} ${serving.get(node)?.sessionStore ?? 'nothing'}`).join(', ');
  throw new NodesNotHealthy(
    `New nodes should keep sessions in ${wanted}, but acknowledged otherwise: ${says}. Look whether the task definition ` +
      'injects the parameter session-store, and start the rollout again.',
  );
}

/** Where sessions come from while a switch is open. */
export async function readOpenMigration(
  statements: SqlStatements,
  site: string,
): Promise<{ source: SessionStore; target: SessionStore } | undefined> {
  const [row] = await statements.query(
    'SELECT source, target FROM moodle_lifecycle.session_migration WHERE site = :site AND closed_at IS NULL',
    { site },
  );
  return row && { source: text(row, 'source') as SessionStore, target: text(row, 'target') as SessionStore };
}

async function openMigration(
  database: MoodleDatabase,
  rollout: Rollout,
  source: SessionStore,
  target: SessionStore,
): Promise<void> {
  const { now, orUpdate } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.session_migration (site, source, target, opened_at, closed_at)
     SELECT :site, :source, :target, ${now}, NULL WHERE {held}
     ${orUpdate(['site'], ['source', 'target', 'opened_at', 'closed_at'])}`,
    { source, target },
  );
}

/** @throws HoldLost */
export async function closeMigration(database: MoodleDatabase, rollout: Rollout): Promise<void> {
  await assertHeld(database, rollout);
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.session_migration SET closed_at = ${database.dialect.now}
      WHERE site = :site AND closed_at IS NULL AND {held}`,
    {},
    { orNone: true },
  );
}
