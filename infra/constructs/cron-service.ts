import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { NodeService } from './node-service.ts';
import type { NodeTask } from './node-task.ts';
import type { Nodes } from './nodes.ts';
import type { CurrentSettings } from './settings.ts';

export interface CronServiceProps {
  readonly config: Config;
  readonly nodes: Nodes;
  readonly task: NodeTask;
  readonly settings: CurrentSettings;
}

/** Moodle's cron on a node of its own: none until a rollout starts it, never more than one. */
export class CronService extends NodeService {
  constructor(scope: Construct, id: string, props: CronServiceProps) {
    super(scope, id, {
      ...props,
      count: 'cron-nodes',
      strategy: [{ capacityProvider: props.nodes.capacity.steady, weight: 1 }],
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
    });
  }
}
