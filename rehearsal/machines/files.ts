import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

export interface AccessPoint {
  readonly accessPointId: string;
  readonly accessPointArn: string;
  readonly fileSystemId: string;
  readonly path: string;
}

export interface FileSystem {
  readonly fileSystemId: string;
  readonly fileSystemArn: string;
}

/** The EFS file systems and access points of a rehearsal, by id. */
export const filesOf = perWorld(() => ({
  fileSystems: new Map<string, FileSystem>(),
  accessPoints: new Map<string, AccessPoint>(),
}));

/** The folder that stands for a path of an EFS file system; made when it is missing. */
export function sharedFolder(world: Pick<World, 'directory'>, fileSystemId: string, path: string): string {
  const folder = join(world.directory, 'files', fileSystemId, normalize(`/${path}`));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Owner and mode of an access point's folder; a rehearsal that is not root leaves its own user as the owner. */
export function applyOwner(folder: string, uid: number, gid: number, mode: number): void {
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
  chmodSync(folder, mode);
}
