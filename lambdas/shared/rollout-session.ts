import type { ECSClient } from '@aws-sdk/client-ecs';
import { readAcknowledgements, type TaskReport } from './acknowledgements.ts';
import { isOfMoodle } from './answers.ts';
import { type Rollout, write } from './hold.ts';
import type { MoodleDatabase } from './moodle-database.ts';
import type { Settings } from './settings.ts';
import { forgetTask, runTask, taskNode } from './tasks.ts';
import { Visitor } from './visitor.ts';

export interface SessionClients {
  readonly ecs: ECSClient;
  readonly database: MoodleDatabase;
  readonly settings: Settings;
}

/** Under this the image's task `inspect session` writes how to come with the session: never in its report or its log. */
const subject = 'rollout-session';

/** Where a node says whether it has the session that a visitor comes with (image/scripts/rollout-session.php). */
export const sessionPath = '/health/session';

/**
 * Has a task open a session of the rollout's own user on the side of the server, and make pages with its code.
 *
 * @returns the task's report, and somebody who comes with that session; nobody where the task has opened none
 * @throws TaskStillRunning
 */
export async function inspectSite(
  clients: SessionClients,
  rollout: Rollout,
  purpose: string,
): Promise<{ readonly report: TaskReport; readonly visitor: Visitor | undefined }> {
  const { database, settings } = clients;
  const report = await runTask(clients, rollout, purpose, ['inspect', 'pages', 'session']);
  const node = await taskNode(database, rollout, purpose);
  const written = await readAcknowledgements(database, rollout.site, subject, node ? [node] : []);
  const { cookie, sid } = written.get(node ?? '') ?? {};
  if (typeof cookie !== 'string' || typeof sid !== 'string') return { report, visitor: undefined };
  const visitor = new Visitor(settings.siteUrl);
  visitor.bring(cookie, sid);
  return { report, visitor };
}

/** Ends the session and removes its user. A site that does not do so now does it when the next rollout opens one. */
export async function endSession(
  { database }: Pick<SessionClients, 'database'>,
  rollout: Rollout,
  purpose: string,
  visitor: Visitor,
): Promise<void> {
  // First, so that a function that is killed here opens another one when it is called again.
  await forgetTask(database, rollout, purpose);
  await write(
    database,
    rollout,
    `DELETE FROM moodle_lifecycle.node_acknowledgement WHERE site = :site AND subject = '${subject}' AND {held}`,
    {},
    { orNone: true },
  );
  for (let attempt = 0; attempt < 3; attempt++) {
    const page = await visitor.post(sessionPath).catch(() => undefined);
    if (page && isOfMoodle(page)) return;
  }
}
