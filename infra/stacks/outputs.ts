import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { LifecycleStack } from './lifecycle-stack.ts';
import type { PlatformStack } from './platform-stack.ts';
import type { WatchingStack } from './watching-stack.ts';

export function platformOutputs(stack: PlatformStack): void {
  outputs(stack, {
    SiteAddress: ['Where the site answers once a rollout has installed it', stack.siteUrl],
    LoadBalancerName: ['Where DNS points the name of the site', stack.loadBalancer.alb.loadBalancerDnsName],
    AdministratorUser: ["Moodle's first administrator", stack.config.adminUser],
    AdministratorSecretArn: ['The secret with the password', stack.siteSecrets.administrator.secretArn],
    ClusterName: ['The ECS cluster of the nodes', stack.nodes.cluster.clusterName],
    WebServiceName: ['The ECS service of the web nodes', stack.web.service.serviceName],
    CronServiceName: ['The ECS service of the cron node', stack.cron.service.serviceName],
    NotificationTopicArn: ['Where failed rollouts and alarms are told', stack.notifications.topic.topicArn],
  });
}

export function lifecycleOutputs(stack: LifecycleStack): void {
  const { stateMachineArn } = stack.install.stateMachine;
  outputs(stack, {
    InstallStateMachineArn: ['The rollout install', stateMachineArn],
    InstallCommand: [
      'Starts it',
      `aws stepfunctions start-execution --region ${stack.region} --state-machine-arn ${stateMachineArn} --input '{}'`,
    ],
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
      `https://${stack.region}.console.aws.amazon.com/cloudwatch/home?region=${stack.region}#dashboards/dashboard/${stack.dashboard.name}`,
    ],
  });
}

function outputs(stack: Stack, entries: Readonly<Record<string, readonly [description: string, value: string]>>): void {
  for (const [name, [description, value]] of Object.entries(entries))
    new CfnOutput(stack, name, { description, value });
}
