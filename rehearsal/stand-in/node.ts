import { get } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Queryable } from './database.ts';
import type { Settings } from './settings.ts';

/**
 * The task's id, as ECS names it in its metadata.
 * @throws Error when the metadata endpoint does not answer or names no task
 */
export async function readNodeId(metadataUri: string): Promise<string> {
  const { TaskARN } = (await readJson(`${metadataUri}/task`)) as { TaskARN?: string };
  const id = TaskARN?.split('/').at(-1);
  if (!id) throw new Error(`the task's metadata at ${metadataUri}/task names no TaskARN`);
  return id;
}

/** Without `fetch`, which a node takes longer to load than to use once. */
function readJson(uri: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(uri, { signal: AbortSignal.timeout(5_000) }, (answer) => {
      if (answer.statusCode === 200) resolve(json(answer));
      else reject(new Error(`the task's metadata at ${uri} answered ${answer.statusCode}`));
    });
    request.once('error', reject);
  });
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
