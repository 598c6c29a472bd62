import { setTimeout as wait } from 'node:timers/promises';
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandOutput,
  type Field,
  type RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import { fromDataApi } from './database-errors.ts';
import type { Dialect } from './dialect.ts';
import { DatabaseLoginRefused } from './errors.ts';
import type { MoodleDatabase, SqlParameters, SqlRow, SqlStatements, SqlValue } from './moodle-database.ts';

interface Where {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database: string;
}

/**
 * Milliseconds to wait before the login is tried again that the database refused: while a secret is being rotated, the
 * database has the new password already, and the service, which reads the current version alone, the old one.
 */
const patienceWithLogin = [1_000, 3_000];

/** The site's database through the RDS Data API: the functions need no place in the VPC. */
export class DataApiDatabase implements MoodleDatabase {
  readonly access = 'data-api';
  readonly dialect: Dialect;
  readonly #client: RDSDataClient;
  readonly #where: Where;
  readonly #patience: readonly number[];

  constructor(client: RDSDataClient, where: Where, dialect: Dialect, patience: readonly number[] = patienceWithLogin) {
    this.#patience = patience;
    this.dialect = dialect;
    this.#client = client;
    this.#where = where;
  }

  async query(sql: string, parameters: SqlParameters = {}): Promise<SqlRow[]> {
    return rows(await this.#run(sql, parameters));
  }

  async execute(sql: string, parameters: SqlParameters = {}): Promise<number> {
    return (await this.#run(sql, parameters)).numberOfRecordsUpdated ?? 0;
  }

  async transaction<Result>(work: (statements: SqlStatements) => Promise<Result>): Promise<Result> {
    const { transactionId = '' } = await this.#patiently(() =>
      this.#client.send(new BeginTransactionCommand(this.#where)),
    );
    const ends = { resourceArn: this.#where.resourceArn, secretArn: this.#where.secretArn, transactionId };
    try {
      const result = await work({
        dialect: this.dialect,
        query: async (sql, parameters = {}) => rows(await this.#run(sql, parameters, transactionId)),
        execute: async (sql, parameters = {}) =>
          (await this.#run(sql, parameters, transactionId)).numberOfRecordsUpdated ?? 0,
      });
      await mapped(this.#client.send(new CommitTransactionCommand(ends)));
      return result;
    } catch (error) {
      // An idle transaction ends by itself after 3 minutes: so the first error is the one worth telling.
      await this.#client.send(new RollbackTransactionCommand(ends)).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {}

  #run(sql: string, parameters: SqlParameters, transactionId?: string): Promise<ExecuteStatementCommandOutput> {
    const statement = new ExecuteStatementCommand({
      ...this.#where,
      sql,
      parameters: Object.entries(parameters).map(parameter),
      includeResultMetadata: true,
      ...(transactionId ? { transactionId } : {}),
    });
    return this.#patiently(() => this.#client.send(statement));
  }

  /** A refused login has done nothing, so that it may be tried again. */
  async #patiently<Result>(call: () => Promise<Result>): Promise<Result> {
    for (const milliseconds of this.#patience) {
      try {
        return await mapped(call());
      } catch (error) {
        if (!(error instanceof DatabaseLoginRefused)) throw error;
        await wait(milliseconds);
      }
    }
    return mapped(call());
  }
}

async function mapped<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw fromDataApi(error);
  }
}

function parameter([name, value]: [string, SqlValue]): SqlParameter {
  return { name, value: field(value) };
}

function field(value: SqlValue): Field {
  if (value === null) return { isNull: true };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'string') return { stringValue: value };
  return Number.isInteger(value) ? { longValue: value } : { doubleValue: value };
}

function rows(output: ExecuteStatementCommandOutput): SqlRow[] {
  const names = (output.columnMetadata ?? []).map((column) => column.label || column.name || '');
  return (output.records ?? []).map((record) =>
    Object.fromEntries(names.map((name, index) => [name, plain(record[index])])),
  );
}

function plain(value: Field | undefined): SqlValue {
  if (value === undefined || value.isNull) return null;
  const known = value.stringValue ?? value.longValue ?? value.doubleValue ?? value.booleanValue;
  if (known !== undefined) return known;
  throw new TypeError(`The Data API answered a value of a kind that no statement asks for: ${Object.keys(value)}.`);
}
