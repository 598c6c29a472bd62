import { CfnOutput, type Stack } from 'aws-cdk-lib';
import { keptWhenDestroyed } from './kept.ts';
import type { LifecycleStack } from './lifecycle-stack.ts';
import type { PlatformStack } from './platform-stack.ts';
import type { WatchingStack } from './watching-stack.ts';

export function platformOutputs(stack: PlatformStack): void {
  const kept = keptWhenDestroyed(stack);
  const { config, loadBalancer, distribution, sessionStore, applicationStore, nodes, web } = stack;
  const pointsDns =
    config.hostedZoneId === undefined ? 'Where your DNS points the name of the site' : 'What its name is an alias of';
  outputs(stack, {
    SiteAddress: ['Where the site answers once a rollout has installed it', stack.siteUrl],
    ...(distribution && { CloudFrontName: [pointsDns, distribution.distribution.distributionDomainName] }),
    LoadBalancerName: [
      distribution ? 'The load balancer, which takes requests from CloudFront alone' : pointsDns,
      loadBalancer.alb.loadBalancerDnsName,
    ],
    AdministratorUser: ["Moodle's first administrator", config.adminUser],
    AdministratorSecretArn: ['The secret with the password', stack.siteSecrets.administrator.secretArn],
    DatabaseSecretArn: ['The secret with the way into the database', stack.database.secret.secretArn],
    SessionStoreEndpoint: ['Where sessions are kept', sessionStore.endpoint],
    ...(sessionStore.secret && { SessionStoreSecretArn: ['The secret with its token', sessionStore.secret.secretArn] }),
    ApplicationStoreEndpoint: ["Where Moodle's application cache is kept", applicationStore.endpoint],
    ...(applicationStore.secret && {
      ApplicationStoreSecretArn: ['The secret with its token', applicationStore.secret.secretArn],
    }),
    ClusterName: ['The ECS cluster of the nodes', nodes.cluster.clusterName],
    WebServiceName: ['The ECS service of the web nodes', web.service.serviceName],
    WebServiceAddress: [
      'The same, in the console',
      inConsole(
        stack,
        'ecs/v2/clusters',
        `/${nodes.cluster.clusterName}/services/${web.service.serviceName}/health?region=${stack.region}`,
      ),
    ],
    CronServiceName: ['The ECS service of the cron node', stack.cron.service.serviceName],
    NotificationTopicArn: ['Where failed rollouts and alarms are told', stack.notifications.topic.topicArn],
    ...(kept && { KeptWhenDestroyed: ['What stays when this stack is destroyed, for you to delete', kept] }),
    ...(config.keepData && {
      KeptBesideStacks: [
        'What updates made beside the stacks, which stays too',
        `snapshots moodle-${config.site}-update-*, and databases moodle-${config.site}-before-*, which hold the network up`,
      ] as const,
    }),
  });
}

export function lifecycleOutputs(stack: LifecycleStack): void {
  const start = (stateMachineArn: string) =>
    `aws stepfunctions start-execution --region ${stack.region} --state-machine-arn ${stateMachineArn} --input '{}'`;
  const install = stack.install.stateMachine.stateMachineArn;
  const pluginUpdate = stack.pluginUpdate.stateMachine.stateMachineArn;
  outputs(stack, {
    InstallStateMachineArn: ['The rollout install', install],
    InstallAddress: ['The same, in the console', stateMachineInConsole(stack, install)],
    InstallCommand: ['Starts it', start(install)],
    PluginUpdateStateMachineArn: ['The rollout plugin-update', pluginUpdate],
    PluginUpdateAddress: ['The same, in the console', stateMachineInConsole(stack, pluginUpdate)],
    PluginUpdateCommand: ['Starts it', start(pluginUpdate)],
    HoldStateMachineArn: [
      "Takes the site for a person, or ends that person's hold",
      stack.hold.stateMachine.stateMachineArn,
    ],
  });
}

export function watchingOutputs(stack: WatchingStack): void {
  outputs(stack, {
    DashboardAddress: [
      'The dashboard of the site, in the console',
      inConsole(stack, 'cloudwatch/home', `?region=${stack.region}#dashboards/dashboard/${stack.dashboard.name}`),
    ],
  });
}

function stateMachineInConsole(stack: Stack, arn: string): string {
  return inConsole(stack, 'states/home', `?region=${stack.region}#/statemachines/view/${arn}`);
}

function inConsole({ region }: Stack, service: string, page: string): string {
  return `https://${region}.console.aws.amazon.com/${service}${page}`;
}

function outputs(stack: Stack, entries: Readonly<Record<string, readonly [description: string, value: string]>>): void {
  for (const [name, [description, value]] of Object.entries(entries))
    new CfnOutput(stack, name, { description, value });
}
