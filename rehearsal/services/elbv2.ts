import { AwsError, type Service } from '../endpoint/service.ts';
import { attributesOf, targetGroupAttributes } from '../machines/load-balancer/attributes.ts';
import { loadBalancingOf } from '../machines/load-balancer/registry.ts';
import type { TargetGroup } from '../machines/load-balancer/target-group.ts';
import type { World } from '../world.ts';

interface Attribute {
  readonly Key: string;
  readonly Value: string;
}

/** The part of the Elastic Load Balancing API (version 2) that rollouts and operators use. */
export function elbv2(world: World): Service {
  const parts = loadBalancingOf(world);
  const attributes = world.state.collection<Record<string, string>>('target-group-attributes');
  const group = (arn: string): TargetGroup => {
    const found = parts.targetGroups.get(arn);
    if (!found) throw new AwsError('TargetGroupNotFound', `One or more target groups not found: ${arn}`);
    return found;
  };
  const everywhere = (action: string) => () => [{ action: `elasticloadbalancing:${action}`, resource: '*' }];
  return {
    signingName: 'elasticloadbalancing',
    protocol: 'query',
    xmlNamespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
    operations: {
      DescribeLoadBalancers: {
        members: ['LoadBalancerArns', 'Names', 'PageSize', 'Marker'],
        permissions: everywhere('DescribeLoadBalancers'),
        run: ({ LoadBalancerArns, Names }: { LoadBalancerArns?: string[]; Names?: string[] }) => {
          const found = [...parts.loadBalancers.values()].filter(
            ({ arn, name }) => (LoadBalancerArns?.includes(arn) ?? true) && (Names?.includes(name) ?? true),
          );
          if (found.length < (LoadBalancerArns ?? Names ?? []).length) {
            throw new AwsError(
              'LoadBalancerNotFound',
              `One or more load balancers not found: ${LoadBalancerArns ?? Names}`,
            );
          }
          return {
            LoadBalancers: found.map((balancer) => ({
              LoadBalancerArn: balancer.arn,
              DNSName: balancer.dnsName,
              CreatedTime: balancer.createdAt,
              LoadBalancerName: balancer.name,
              Scheme: balancer.scheme,
              State: { Code: 'active' },
              Type: 'application',
              IpAddressType: 'ipv4',
            })),
          };
        },
      },
      DescribeTargetGroups: {
        members: ['LoadBalancerArn', 'TargetGroupArns', 'Names', 'PageSize', 'Marker'],
        permissions: everywhere('DescribeTargetGroups'),
        run: ({ LoadBalancerArn, TargetGroupArns, Names }: TargetGroupsInput) => {
          const all = TargetGroupArns?.map(group) ?? [...parts.targetGroups.values()];
          return {
            TargetGroups: all
              .filter(({ name }) => Names?.includes(name) ?? true)
              .filter(({ arn }) => LoadBalancerArn === undefined || parts.usedBy.get(arn)?.has(LoadBalancerArn))
              .map((one) => describeTargetGroup(one, [...(parts.usedBy.get(one.arn) ?? [])])),
          };
        },
      },
      DescribeTargetHealth: {
        members: ['TargetGroupArn', 'Targets'],
        permissions: everywhere('DescribeTargetHealth'),
        run: ({ TargetGroupArn, Targets }: { TargetGroupArn: string; Targets?: { Id: string; Port?: string }[] }) => {
          const targets = group(TargetGroupArn).health();
          const wanted = Targets
            ? targets.filter(({ id, port }) =>
                Targets.some((one) => one.Id === id && Number(one.Port ?? port) === port),
              )
            : targets;
          return {
            TargetHealthDescriptions: wanted.map(({ id, port, state, reason, description }) => ({
              Target: { Id: id, Port: port },
              HealthCheckPort: String(port),
              TargetHealth: { State: state, Reason: reason, Description: description },
            })),
          };
        },
      },
      DescribeTargetGroupAttributes: {
        members: ['TargetGroupArn'],
        permissions: everywhere('DescribeTargetGroupAttributes'),
        run: ({ TargetGroupArn }: { TargetGroupArn: string }) => ({
          Attributes: list(group(TargetGroupArn).attributes()),
        }),
      },
      ModifyTargetGroupAttributes: {
        members: ['TargetGroupArn', 'Attributes'],
        permissions: ({ TargetGroupArn }: { TargetGroupArn: string }) => [
          { action: 'elasticloadbalancing:ModifyTargetGroupAttributes', resource: TargetGroupArn },
        ],
        run: ({ TargetGroupArn, Attributes }: { TargetGroupArn: string; Attributes: Attribute[] }) => {
          const given = Object.fromEntries(Attributes.map(({ Key, Value }) => [Key, Value]));
          attributes.set(TargetGroupArn, changed(group(TargetGroupArn), given));
          return { Attributes: list(group(TargetGroupArn).attributes()) };
        },
      },
    },
  };
}

interface TargetGroupsInput {
  readonly LoadBalancerArn?: string;
  readonly TargetGroupArns?: string[];
  readonly Names?: string[];
}

function changed(group: TargetGroup, given: Record<string, string>): Record<string, string> {
  try {
    return attributesOf(targetGroupAttributes, { ...group.attributes(), ...given });
  } catch (error) {
    throw new AwsError('InvalidConfigurationRequest', error instanceof Error ? error.message : String(error));
  }
}

function describeTargetGroup({ arn, name, healthCheck }: TargetGroup, loadBalancerArns: string[]): object {
  return {
    TargetGroupArn: arn,
    TargetGroupName: name,
    Protocol: 'HTTP',
    HealthCheckProtocol: 'HTTP',
    HealthCheckPort: 'traffic-port',
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
    HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
    HealthyThresholdCount: healthCheck.healthyThreshold,
    UnhealthyThresholdCount: healthCheck.unhealthyThreshold,
    HealthCheckPath: healthCheck.path,
    Matcher: { HttpCode: healthCheck.matcher },
    LoadBalancerArns: loadBalancerArns,
    TargetType: 'ip',
    ProtocolVersion: 'HTTP1',
    IpAddressType: 'ipv4',
  };
}

function list(attributes: Readonly<Record<string, string>>): Attribute[] {
  return Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));
}
