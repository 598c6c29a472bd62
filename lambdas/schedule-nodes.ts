import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { SSMClient } from '@aws-sdk/client-ssm';
import { InputInvalid } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { readParameters, writeParameters } from './shared/parameters.ts';
import { readCapacity, releaseScaling } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';

export interface ScheduleNodesClients {
  readonly scaling: ApplicationAutoScalingClient;
  readonly ssm: SSMClient;
  readonly settings: Settings;
}

export interface ScheduledNodes {
  /** The least number of nodes on the exam day; 0 after it. */
  readonly scheduled: number;
  readonly autoscaling: string;
}

/**
 * Begins or ends an exam day: the least number of nodes goes up, or back to what the last rollout set. Called by the
 * schedule, at least once, and without the site's hold: what a rollout holds is left to it, and it follows the setting
 * when it lets go.
 *
 * Not Application Auto Scaling's own scheduled actions: their values are those of the last deploy and not of the last
 * rollout, and one that comes due while a rollout has scaling suspended is lost.
 *
 * @param input `nodes`: 0 ends the exam day
 * @throws InputInvalid
 */
export async function scheduleNodes(
  { scaling, ssm, settings }: ScheduleNodesClients,
  { nodes }: { readonly site: string; readonly execution: string; readonly nodes: number },
): Promise<ScheduledNodes> {
  if (!Number.isInteger(nodes) || nodes < 0) {
    throw new InputInvalid(`nodes is a whole number from 0, not ${JSON.stringify(nodes)}. Nothing was changed.`);
  }
  const parameters = await readParameters(ssm, settings);
  const minimum = Number(parameters['minimum-nodes']);
  const maximum = Number(parameters['maximum-nodes']);
  const scheduled = nodes === 0 ? 0 : Math.max(nodes, minimum);
  await writeParameters(ssm, settings, { 'scheduled-nodes': String(scheduled) });
  if (minimum === 0) return { scheduled, autoscaling: 'left as it is: no rollout has scaled the site out yet' };
  if ((await readCapacity(scaling, settings)).suspended) {
    return { scheduled, autoscaling: 'left as it is: a rollout holds it, and follows when it lets go' };
  }
  const range = await releaseScaling({ scaling, ssm, settings }, { minimum, maximum });
  return { scheduled, autoscaling: `${range.minimum} to ${range.maximum}, active` };
}

export const handler = makeHandler(
  'Exam day',
  (): ScheduleNodesClients => {
    const settings = settingsFrom();
    return { settings, ssm: new SSMClient({}), scaling: new ApplicationAutoScalingClient({}) };
  },
  scheduleNodes,
);
