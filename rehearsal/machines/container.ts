import { join } from 'node:path';
import { compileCache } from '../compile-cache.ts';
import { perWorld } from '../per-world.ts';
import { standInBundle } from '../stand-in-bundle.ts';
import type { World } from '../world.ts';
import { LOOPBACK } from './ports.ts';
import { canShareAPath, seenAt } from './same-path.ts';

/** A container that is to run as a process of this computer. */
export interface ContainerRequest {
  readonly tag: string;
  /** Words after the image's entry point: the role and its arguments. */
  readonly command: readonly string[];
  /** Last segment of the task's ARN. */
  readonly nodeId: string;
  /** The node's own port in place of the one that the container listens on. */
  readonly port: number;
  /** What the task definition, its secrets and ECS set. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ContainerProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Turns a container into a process. Tests put a node of their own in its place. */
export const containerRuntimeOf = perWorld((world: World) => ({
  processFor: (request: ContainerRequest): ContainerProcess =>
    world.moodle.kind === 'real' ? moodleProcess(world, request) : standInProcess(world, request),
}));

/** Where CodeBuild's rehearsed build put what the image of that tag would hold. */
export function imageFolder(world: Pick<World, 'directory'>, tag: string): { code: string; node: string } {
  const folder = join(world.directory, 'images', tag);
  return { code: join(folder, 'code'), node: join(folder, 'node') };
}

/** A node's own disk, which on Fargate is gone with its task. Short, because a socket's address has 108 bytes. */
export function localDisk(world: Pick<World, 'directory'>, nodeId: string): string {
  return join(world.directory, 'nodes', nodeId.slice(0, 12));
}

/**
 * In containers the code of every image is at the same path, and Moodle counts on it: the same code at another path is
 * code whose upgrade needs maintenance, and a node that spoils the others' caches. Where this computer cannot do that, a
 * rehearsal of an update shows maintenance where AWS needs none.
 */
function dirroot(world: Pick<World, 'directory'>, tag: string): string {
  return canShareAPath() ? join(world.directory, 'code') : imageFolder(world, tag).code;
}

function moodleProcess(world: World, request: ContainerRequest): ContainerProcess {
  const { code, node } = imageFolder(world, request.tag);
  const entrypoint = { command: join(node, 'entrypoint'), args: request.command };
  return {
    ...(canShareAPath() ? seenAt(entrypoint, code, dirroot(world, request.tag)) : entrypoint),
    env: environment(world, request),
  };
}

function standInProcess(world: World, request: ContainerRequest): ContainerProcess {
  // How long the stand-in's install takes, and the like: settings of a rehearsal and not of a site.
  const knobs = Object.entries(process.env).filter(([name]) => name.startsWith('STAND_IN_'));
  return {
    command: process.execPath,
    args: [standInBundle(), ...request.command],
    env: {
      ...(Object.fromEntries(knobs) as Record<string, string>),
      ...compileCache,
      ...environment(world, request),
      MOODLE_DIRROOT: imageFolder(world, request.tag).code,
    },
  };
}

/** What Containerfile's ENV sets in the image, for this node's place on this computer. */
function environment(world: World, request: ContainerRequest): Record<string, string> {
  const { node } = imageFolder(world, request.tag);
  return {
    // Servers are in sbin, which an ordinary user's path leaves out.
    PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`,
    LANG: 'C.UTF-8',
    ...request.environment,
    MOODLE_DIRROOT: dirroot(world, request.tag),
    MOODLE_NODE_SCRIPTS: node,
    MOODLE_LOCAL: localDisk(world, request.nodeId),
    MOODLE_LISTEN: `${LOOPBACK}:${request.port}`,
    SSL_CERT_FILE: world.certificateAuthorityFile,
    MOODLE_DATABASE_SSLMODE: 'verify-full',
  };
}
