import { among, type SqlStatements, text } from './moodle-database.ts';
import type { SessionStore } from './settings.ts';

/** What a web or cron node writes about itself before it serves. */
export interface Serving {
  readonly role: 'web' | 'cron';
  readonly moodleRelease: string;
  /** Version of the code. */
  readonly moodleVersion: string | number;
  readonly databaseVersion: string | number;
  readonly upgradePending: boolean;
  readonly sessionStore: SessionStore;
  readonly cacheConfigurationHash: string;
  readonly php: string;
  readonly moodle?: 'real' | 'stand-in';
}

/** What a one-off task writes when it is done. */
export interface TaskReport {
  readonly ok: boolean;
  readonly problem?: string;
  /** False: the task ended without saying anything, and these words are ours. */
  readonly reported?: false;
  readonly [detail: string]: unknown;
}

/** `serving` acknowledgements of these nodes, by node. A node that has not written one is absent. */
export async function readServing(
  statements: SqlStatements,
  site: string,
  nodes: readonly string[],
): Promise<Map<string, Serving>> {
  const { condition, parameters } = among('node', nodes);
  const rows = await statements.query(
    `SELECT node, value FROM moodle_lifecycle.node_acknowledgement
      WHERE site = :site AND subject = 'serving' AND ${condition}`,
    { site, ...parameters },
  );
  return new Map(rows.map((row) => [text(row, 'node'), JSON.parse(text(row, 'value'))]));
}

export async function readTaskReport(
  statements: SqlStatements,
  site: string,
  node: string,
  subject: string,
): Promise<TaskReport | undefined> {
  const [row] = await statements.query(
    `SELECT value FROM moodle_lifecycle.node_acknowledgement
      WHERE site = :site AND node = :node AND subject = :subject`,
    { site, node, subject },
  );
  return row ? JSON.parse(text(row, 'value')) : undefined;
}

/** Acknowledgements of these nodes under one subject, by node. */
export async function readAcknowledgements(
  statements: SqlStatements,
  site: string,
  subject: string,
  nodes: readonly string[],
): Promise<Map<string, Readonly<Record<string, unknown>>>> {
  const { condition, parameters } = among('node', nodes);
  const rows = await statements.query(
    `SELECT node, value FROM moodle_lifecycle.node_acknowledgement
      WHERE site = :site AND subject = :subject AND ${condition}`,
    { site, subject, ...parameters },
  );
  return new Map(rows.map((row) => [text(row, 'node'), JSON.parse(text(row, 'value'))]));
}
