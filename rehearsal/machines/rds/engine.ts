import type { World } from '../../world.ts';
import type { Database, DatabaseServer } from '../databases.ts';

/** A database server that runs. */
export interface RunningServer extends DatabaseServer {
  /** Makes everything that was committed until now restorable by `DatabaseEngine.restore`; absent without an archive. */
  archive?(): Promise<void>;
}

/** What a new server's data are made from. */
export interface RestoreRequest {
  /** Folder that `backUp` filled. */
  readonly backup: string;
  /** Name of the server that the backup was taken of. */
  readonly from: string;
  /** Name of the new server. */
  readonly to: string;
  /**
   * Replays what `from` has archived since, up to the last commit at or before this moment; where the engine's log tells
   * whole seconds only, up to the end of the second that the moment is in, unless it is the very begin of that second.
   * Absent: the backup alone.
   */
  readonly until?: Date;
}

/**
 * A kind of database server: how one is started, copied while it runs, and brought back from a copy. RDS's own words
 * (clusters, instances, snapshots, identifiers) are not known here.
 */
export interface DatabaseEngine {
  /** The server that stands behind it. */
  readonly family: Database['engine'];
  /** Whether changes are archived, so that `RestoreRequest.until` can be any moment since a backup. */
  readonly pointInTime: boolean;
  /**
   * Starts the server of that name; makes its data when there are none yet.
   *
   * @param parameters settings of the parameter group, as RDS names them
   * @throws Error with the server's own last words when it does not start; for a parameter that it does not know
   */
  start(world: World, name: string, port: number, parameters: Readonly<Record<string, string>>): Promise<RunningServer>;
  /**
   * Copies the data of a running server, as they are at one moment, to a folder that is not there yet. A copy that is
   * broken off leaves no such folder.
   */
  backUp(world: World, name: string, server: RunningServer, folder: string): Promise<void>;
  /** Makes the data of a new server; what an earlier attempt left of it is removed first. */
  restore(world: World, request: RestoreRequest): Promise<void>;
  /** Removes the data of a server that does not run, and what was archived of it. */
  remove(world: World, name: string): void;
}
