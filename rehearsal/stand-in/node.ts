import type { Queryable } from './database.ts';
import type { Settings } from './settings.ts';

/**
 * The task's id, as ECS names it in its metadata.
 * @throws Error when the metadata endpoint does not answer or names no task
 */
export async function readNodeId(metadataUri: string): Promise<string> {
  const answer = await fetch(`${metadataUri}/task`, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`the task's metadata at ${metadataUri}/task answered ${answer.status}`);
  const { TaskARN } = (await answer.json()) as { TaskARN?: string };
  const id = TaskARN?.split('/').at(-1);
  if (!id) throw new Error(`the task's metadata at ${metadataUri}/task names no TaskARN`);
  return id;
}

/** Writes what this node has to say on a subject; the phases read it. */
export async function acknowledge(
  database: Queryable,
  { site }: Pick<Settings, 'site'>,
  node: string,
  subject: string,
  value: Readonly<Record<string, unknown>>,
): Promise<void> {
  await database.query(
    `INSERT INTO moodle_lifecycle.node_acknowledgement (site, node, subject, value, acknowledged_at)
     VALUES ($1, $2, $3, $4, ${database.words.now})
     ${database.words.orUpdate('site, node, subject', ['value', 'acknowledged_at'])}`,
    [site, node, subject, JSON.stringify({ ...value, moodle: 'stand-in' })],
  );
}
