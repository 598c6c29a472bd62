import {
  DescribeTargetGroupAttributesCommand,
  type ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Settings } from './settings.ts';

/** Whether the load balancer keeps a client on its node (cookie AWSALB), and for how long. */
export interface Stickiness {
  readonly enabled: boolean;
  readonly seconds: number;
}

/** What the site was deployed with: most want none, Shibboleth wants it always. */
export function usualStickiness({ stickySeconds }: Settings): Stickiness {
  return { enabled: stickySeconds > 0, seconds: stickySeconds };
}

/** While sessions move: longer than a replacement takes, so that nobody goes back to a node of the old store. */
export function stickyWhileMoving({ stickySeconds }: Settings): Stickiness {
  return { enabled: true, seconds: Math.max(3600, stickySeconds) };
}

export async function readStickiness(balancer: ElasticLoadBalancingV2Client, settings: Settings): Promise<Stickiness> {
  const { Attributes = [] } = await balancer.send(
    new DescribeTargetGroupAttributesCommand({ TargetGroupArn: settings.targetGroupArn }),
  );
  const value = (key: string) => Attributes.find((attribute) => attribute.Key === key)?.Value;
  return {
    enabled: value('stickiness.enabled') === 'true',
    seconds: Number(value('stickiness.lb_cookie.duration_seconds') ?? 86_400),
  };
}

export async function setStickiness(
  balancer: ElasticLoadBalancingV2Client,
  settings: Settings,
  wanted: Stickiness,
): Promise<void> {
  const current = await readStickiness(balancer, settings);
  if (current.enabled === wanted.enabled && (!wanted.enabled || current.seconds === wanted.seconds)) return;
  await balancer.send(
    new ModifyTargetGroupAttributesCommand({
      TargetGroupArn: settings.targetGroupArn,
      Attributes: [
        { Key: 'stickiness.enabled', Value: String(wanted.enabled) },
        { Key: 'stickiness.type', Value: 'lb_cookie' },
        ...(wanted.enabled ? [{ Key: 'stickiness.lb_cookie.duration_seconds', Value: String(wanted.seconds) }] : []),
      ],
    }),
  );
}
