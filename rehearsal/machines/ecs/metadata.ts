import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { roleCredentials } from '../../iam/credentials.ts';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { LOOPBACK } from '../ports.ts';

/** What `GET $AWS_CONTAINER_CREDENTIALS_FULL_URI` answers. */
interface TaskCredentials {
  readonly RoleArn: string;
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly Token: string;
  /** ISO 8601. */
  readonly Expiration: string;
}

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
  /** The value of AWS_CONTAINER_CREDENTIALS_FULL_URI for a node: where it gets credentials of its task's role. */
  publishCredentials(nodeId: string, roleArn: string): string;
  withdraw(nodeId: string): void;
}

/** They are good for as long as the rehearsal runs; AWS's for six hours. */
const CREDENTIALS_MILLISECONDS = 6 * 60 * 60_000;

/** The task metadata endpoint, version 4, of all nodes of a rehearsal. */
export const metadataServerOf = perWorld((world: World): Promise<MetadataServer> => {
  const published = new Map<string, () => TaskMetadata>();
  const credentials = new Map<string, TaskCredentials>();
  const server = createServer((request, response) => {
    const own = credentials.get(/^\/v2\/credentials\/([^/]+)$/.exec(request.url ?? '')?.[1] ?? '');
    if (own) return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(own));
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
        publishCredentials: (nodeId, roleArn) => {
          const { accessKeyId, secretAccessKey, sessionToken } = roleCredentials(world, roleArn, nodeId);
          const id = randomUUID();
          credentials.set(id, {
            RoleArn: roleArn,
            AccessKeyId: accessKeyId,
            SecretAccessKey: secretAccessKey,
            Token: sessionToken,
            Expiration: new Date(Date.now() + CREDENTIALS_MILLISECONDS).toISOString(),
          });
          return `http://${LOOPBACK}:${port}/v2/credentials/${id}`;
        },
        withdraw: (nodeId) => void published.delete(nodeId),
      });
    });
  });
});
