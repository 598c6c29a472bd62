import type { Database } from '../../machines/databases.ts';
import type { SqlParameter } from './fields.ts';

export interface StatementOptions {
  readonly includeResultMetadata?: boolean;
  readonly formatRecordsAs?: 'JSON' | 'NONE';
  /** The statement goes on although the caller is told that it took too long. */
  readonly continueAfterTimeout?: boolean;
}

/** One connection to a database of the Data API. Everything that it throws is an AwsError as the Data API words it. */
export interface Session {
  /** Runs one statement with the Data API's named parameters. @returns the answer in the Data API's form */
  statement(sql: string, parameters?: readonly SqlParameter[], options?: StatementOptions): Promise<object>;
  transaction(how: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<void>;
  /** Gives the connection back. Whoever has it next finds nothing of what was done on it. */
  release(): Promise<void>;
}

/** The connections to one database as one user. */
export interface Sessions {
  open(): Promise<Session>;
  close(): Promise<void>;
}

export interface Login {
  readonly database: Database;
  /** Name of the database within the server; undefined: the server's own. */
  readonly name: string | undefined;
  readonly username: string;
  readonly password: string;
}
