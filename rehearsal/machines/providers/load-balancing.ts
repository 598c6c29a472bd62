import { physicalName, stableLetters } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { changedProperties } from '../deployed.ts';
import {
  attributesOf,
  listenerAttributes,
  listenerHeaders,
  loadBalancerAttributes,
  targetGroupAttributes,
} from '../load-balancer/attributes.ts';
import type { ForwardSettings } from '../load-balancer/forward.ts';
import { Listener } from '../load-balancer/listener.ts';
import { loadBalancingOf } from '../load-balancer/registry.ts';
import type { Action, Condition } from '../load-balancer/rules.ts';
import { TargetGroup } from '../load-balancer/target-group.ts';
import { namesOf } from '../names.ts';
import { choosePort, LOOPBACK } from '../ports.ts';
import { tlsServerOptions } from '../tls-server.ts';

const loadBalancer: ResourceProvider = {
  type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  // Name, network and firewall have no meaning here.
  properties: [
    'LoadBalancerAttributes',
    'Name',
    'Type',
    'IpAddressType',
    'Scheme',
    'SecurityGroups',
    'Subnets',
    'Tags',
  ],
  async create(resource, world) {
    const { properties } = resource;
    if ((properties.Type ?? 'application') !== 'application') {
      throw new Error(`the rehearsal has application load balancers only, not ${properties.Type}.`);
    }
    const name = String(properties.Name ?? physicalName(world, resource, 32));
    const fullName = `app/${name}/${stableLetters(world, `load-balancer/${name}`, 16)}`;
    const loadBalancerArn = arn(world, 'elasticloadbalancing', `loadbalancer/${fullName}`);
    const port = await choosePort(world, `load-balancer/${name}`);
    // A load balancer's name stands for its address, and http:// adds port 80, which an ordinary user cannot open and
    // two rehearsals could not share. So the make-believe name carries the port: whoever makes a URL or a Host header of
    // it, as templates and functions do, gets a right one.
    const dnsName = `${LOOPBACK}:${port}`;
    const given = pairs(properties.LoadBalancerAttributes);
    loadBalancingOf(world).loadBalancers.set(loadBalancerArn, {
      arn: loadBalancerArn,
      name,
      dnsName,
      port,
      scheme: String(properties.Scheme ?? 'internet-facing'),
      attributes: attributesOf(loadBalancerAttributes, given),
      createdAt: new Date(),
      vpcId: 'vpc-rehearsal',
    });
    return {
      ref: loadBalancerArn,
      attributes: {
        DNSName: dnsName,
        LoadBalancerArn: loadBalancerArn,
        LoadBalancerFullName: fullName,
        LoadBalancerName: name,
        CanonicalHostedZoneID: 'ZREHEARSAL',
      },
    };
  },
};

const targetGroup: ResourceProvider = {
  type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
  properties: [
    'HealthCheckEnabled',
    'HealthCheckIntervalSeconds',
    'HealthCheckPath',
    'HealthCheckPort',
    'HealthCheckProtocol',
    'HealthCheckTimeoutSeconds',
    'HealthyThresholdCount',
    'Matcher',
    'Name',
    'Protocol',
    'TargetGroupAttributes',
    'TargetType',
    'UnhealthyThresholdCount',
    // Each node has a port of its own.
    'Port',
    'ProtocolVersion',
    'Tags',
    'VpcId',
  ],
  create(resource, world) {
    const { properties } = resource;
    requireValue(properties, 'Protocol', 'HTTP');
    requireValue(properties, 'HealthCheckProtocol', 'HTTP');
    requireValue(properties, 'HealthCheckPort', 'traffic-port');
    requireValue(properties, 'TargetType', 'ip');
    const name = String(properties.Name ?? physicalName(world, resource, 32));
    const fullName = `targetgroup/${name}/${stableLetters(world, `target-group/${name}`, 16)}`;
    const groupArn = arn(world, 'elasticloadbalancing', fullName);
    const attributes = world.state.collection<Record<string, string>>('target-group-attributes');
    if (changedProperties(world, resource).has('TargetGroupAttributes') || !attributes.get(groupArn)) {
      const given = { ...attributes.get(groupArn), ...pairs(properties.TargetGroupAttributes) };
      attributes.set(groupArn, attributesOf(targetGroupAttributes, given));
    }
    const group = new TargetGroup(world, {
      arn: groupArn,
      name,
      healthCheck: {
        path: String(properties.HealthCheckPath ?? '/'),
        intervalSeconds: Number(properties.HealthCheckIntervalSeconds ?? 30),
        timeoutSeconds: Number(properties.HealthCheckTimeoutSeconds ?? 5),
        healthyThreshold: Number(properties.HealthyThresholdCount ?? 5),
        unhealthyThreshold: Number(properties.UnhealthyThresholdCount ?? 2),
        matcher: String(properties.Matcher?.HttpCode ?? '200'),
      },
      attributes: () => attributes.get(groupArn) ?? {},
    });
    loadBalancingOf(world).targetGroups.set(groupArn, group);
    return {
      ref: groupArn,
      attributes: { TargetGroupArn: groupArn, TargetGroupFullName: fullName, TargetGroupName: name },
    };
  },
};

const listener: ResourceProvider = {
  type: 'AWS::ElasticLoadBalancingV2::Listener',
  properties: [
    'DefaultActions',
    'ListenerAttributes',
    'LoadBalancerArn',
    'Port',
    'Protocol',
    'SslPolicy',
    // The rehearsal's own authority makes one for whatever name a client asks for.
    'Certificates',
    'Tags',
  ],
  async create(resource, world) {
    const { LoadBalancerArn, Port, Protocol, DefaultActions, ListenerAttributes, SslPolicy } = resource.properties;
    if (Protocol !== 'HTTP' && Protocol !== 'HTTPS') {
      throw new Error(`the rehearsal's load balancer speaks HTTP and HTTPS, not ${Protocol}.`);
    }
    if (SslPolicy !== undefined && !/^ELBSecurityPolicy-TLS13-1-2-/.test(SslPolicy)) {
      throw new Error(`the rehearsal knows the policies of TLS 1.3 and 1.2, not ${SslPolicy}.`);
    }
    const balancer = loadBalancingOf(world).loadBalancers.get(LoadBalancerArn);
    if (!balancer) throw new Error(`there is no load balancer ${LoadBalancerArn}.`);
    const listenerArn = `${LoadBalancerArn.replace(':loadbalancer/', ':listener/')}/${stableLetters(world, resource.logicalId, 16)}`;
    const settings: ForwardSettings = {
      idleTimeoutSeconds: Number(balancer.attributes['idle_timeout.timeout_seconds']),
      dropInvalidHeaders: balancer.attributes['routing.http.drop_invalid_header_fields.enabled'] === 'true',
      forwardedFor:
        balancer.attributes['routing.http.xff_header_processing.mode'] === 'preserve' ? 'preserve' : 'append',
      answerHeaders: answerHeaders(ListenerAttributes),
    };
    const action = actionOf(world, LoadBalancerArn, DefaultActions);
    const made = new Listener(
      listenerArn,
      action,
      settings,
      Protocol === 'HTTPS' ? tlsServerOptions(world) : undefined,
    );
    const port = Number(Port) === 80 ? balancer.port : await choosePort(world, `listener/${listenerArn}`);
    await made.listen(port);
    namesOf(world).listens(balancer.dnsName, Number(Port), port);
    loadBalancingOf(world).listeners.set(listenerArn, { listener: made, loadBalancerArn: LoadBalancerArn });
    return { ref: listenerArn, attributes: { ListenerArn: listenerArn } };
  },
};

const listenerRule: ResourceProvider = {
  type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
  properties: ['Actions', 'Conditions', 'ListenerArn', 'Priority', 'Tags'],
  create(resource, world) {
    const { Actions, Conditions, ListenerArn, Priority } = resource.properties;
    const known = loadBalancingOf(world).listeners.get(ListenerArn);
    if (!known) throw new Error(`there is no listener ${ListenerArn}.`);
    known.listener.rules.push({
      priority: Number(Priority),
      conditions: (Conditions as object[]).map(conditionOf),
      action: actionOf(world, known.loadBalancerArn, Actions),
    });
    const ruleArn = `${ListenerArn.replace(':listener/', ':listener-rule/')}/${stableLetters(world, resource.logicalId, 16)}`;
    return { ref: ruleArn, attributes: { RuleArn: ruleArn, IsDefault: 'false' } };
  },
};

// biome-ignore lint/suspicious/noExplicitAny: the shape is CloudFormation's; every member that is read is checked.
function actionOf(world: World, loadBalancerArn: string, actions: any): Action {
  const [action, more] = actions ?? [];
  if (!action || more) throw new Error('the rehearsal knows listeners and rules with one action.');
  if (action.Type === 'forward') {
    const groups = action.ForwardConfig?.TargetGroups ?? [];
    const groupArn = action.TargetGroupArn ?? (groups.length === 1 ? groups[0].TargetGroupArn : undefined);
    const group = loadBalancingOf(world).targetGroups.get(groupArn);
    if (!group) throw new Error('a forward action names one target group of the templates.');
    group.inUse = true;
    const users = loadBalancingOf(world).usedBy;
    users.set(groupArn, new Set([...(users.get(groupArn) ?? []), loadBalancerArn]));
    return { type: 'forward', group };
  }
  if (action.Type === 'fixed-response') {
    const { StatusCode, ContentType = 'text/plain', MessageBody = '' } = action.FixedResponseConfig;
    return { type: 'fixed-response', code: Number(StatusCode), contentType: ContentType, body: MessageBody };
  }
  if (action.Type === 'redirect') {
    const { Protocol, Port, StatusCode, ...others } = action.RedirectConfig;
    if (!/^HTTPS?$/.test(Protocol) || !/^\d+$/.test(Port) || Object.keys(others).length > 0) {
      throw new Error('the rehearsal redirects to another protocol and port alone.');
    }
    return { type: 'redirect', protocol: Protocol, port: Port, code: Number(StatusCode.replace('HTTP_', '')) };
  }
  throw new Error(`the rehearsal does not know the action ${action.Type}.`);
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function conditionOf(condition: any): Condition {
  if (condition.Field === 'path-pattern' || condition.Field === 'host-header') {
    const config = condition.PathPatternConfig ?? condition.HostHeaderConfig;
    return { field: condition.Field, values: config?.Values ?? condition.Values };
  }
  if (condition.Field === 'http-header') {
    const { HttpHeaderName, Values } = condition.HttpHeaderConfig;
    return { field: 'http-header', headerName: HttpHeaderName, values: Values };
  }
  throw new Error(`the rehearsal does not know the condition ${condition.Field}.`);
}

/** By name in lower case. */
function answerHeaders(given: readonly { Key: string; Value: string }[] | undefined): Record<string, string> {
  const attributes = attributesOf(listenerAttributes, pairs(given));
  return Object.fromEntries(
    Object.entries(listenerHeaders).flatMap(([key, header]) => {
      const value = attributes[key];
      return value ? [[header, value]] : [];
    }),
  );
}

function pairs(list: readonly { Key: string; Value: string }[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ Key, Value }) => [Key, String(Value)]));
}

function requireValue(properties: ResolvedResource['properties'], name: string, value: string): void {
  const given = properties[name];
  if (given !== undefined && given !== value) {
    throw new Error(`the rehearsal knows only ${name} ${value}, not ${given}.`);
  }
}

export const loadBalancingProviders: readonly ResourceProvider[] = [loadBalancer, targetGroup, listener, listenerRule];
