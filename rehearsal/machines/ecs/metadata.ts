import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { LOOPBACK } from '../ports.ts';

/** What `GET $ECS_CONTAINER_METADATA_URI_V4/task` answers about a task, as far as images read it. */
export interface TaskMetadata {
  readonly Cluster: string;
  readonly TaskARN: string;
  readonly Family: string;
  readonly Revision: string;
  readonly DesiredStatus: string;
  readonly KnownStatus: string;
  readonly LaunchType: string;
  readonly Containers: readonly { readonly Name: string; readonly Image: string; readonly KnownStatus: string }[];
}

export interface MetadataServer {
  /** The value of ECS_CONTAINER_METADATA_URI_V4 for a node. */
  publish(nodeId: string, metadata: () => TaskMetadata): string;
  withdraw(nodeId: string): void;
}

/** The task metadata endpoint, version 4, of all nodes of a rehearsal. */
export const metadataServerOf = perWorld((world: World): Promise<MetadataServer> => {
  const published = new Map<string, () => TaskMetadata>();
  const server = createServer((request, response) => {
    const [, nodeId = '', rest] = /^\/v4\/([^/]+)(\/task)?$/.exec(request.url ?? '') ?? [];
    const task = published.get(nodeId)?.();
    if (!task) return response.writeHead(404).end();
    const body = JSON.stringify(rest === '/task' ? task : task.Containers[0]);
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
  });
  world.onClose(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        publish: (nodeId, metadata) => {
          published.set(nodeId, metadata);
          return `http://${LOOPBACK}:${port}/v4/${nodeId}`;
        },
        withdraw: (nodeId) => published.delete(nodeId),
      });
    });
  });
});
