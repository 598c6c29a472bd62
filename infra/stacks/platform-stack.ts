import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { Backups } from '../constructs/backups.ts';
import { hostedZone, siteCertificate } from '../constructs/certificates.ts';
import { CronService } from '../constructs/cron-service.ts';
import { type Database, database } from '../constructs/database.ts';
import { DatabaseEvents } from '../constructs/database-events.ts';
import { DatabaseRotation } from '../constructs/database-rotation.ts';
import { Files } from '../constructs/files.ts';
import { Firewall } from '../constructs/firewall.ts';
import { ImageBuild } from '../constructs/image-build.ts';
import { Leftovers } from '../constructs/leftovers.ts';
import { LoadBalancer } from '../constructs/load-balancer.ts';
import { type Network, siteNetwork } from '../constructs/network.ts';
import { nodeSettings } from '../constructs/node-settings.ts';
import { NodeTask } from '../constructs/node-task.ts';
import { Nodes } from '../constructs/nodes.ts';
import { Notifications } from '../constructs/notifications.ts';
import { CurrentSettings } from '../constructs/settings.ts';
import { SiteDistribution } from '../constructs/site-distribution.ts';
import { SiteName } from '../constructs/site-name.ts';
import { SiteSecrets } from '../constructs/site-secrets.ts';
import type { Store } from '../constructs/store.ts';
import { Stores } from '../constructs/stores.ts';
import { AccessLogs } from '../constructs/watching/access-logs.ts';
import { WatchingKey } from '../constructs/watching-key.ts';
import { WebService } from '../constructs/web-service.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import type { EdgeStack } from './edge-stack.ts';
import { EdgeWatchingStack } from './edge-watching-stack.ts';
import { MoodleStack } from './moodle-stack.ts';
import { platformOutputs } from './outputs.ts';

/** All that a site stands on, and no node yet: the first rollout starts the first. */
export class PlatformStack extends MoodleStack {
  readonly watchingKey: WatchingKey;
  readonly notifications: Notifications;
  readonly network: Network;
  readonly siteSecrets: SiteSecrets;
  readonly database: Database;
  readonly databaseRotation: DatabaseRotation | undefined;
  readonly sessionStore: Store;
  readonly applicationStore: Store;
  readonly files: Files;
  readonly backups: Backups;
  readonly imageBuild: ImageBuild;
  readonly loadBalancer: LoadBalancer;
  readonly distribution: SiteDistribution | undefined;
  /** Address of the site, without a slash at the end. */
  readonly siteUrl: string;
  readonly nodes: Nodes;
  readonly webTask: NodeTask;
  readonly cronTask: NodeTask;
  readonly web: WebService;
  readonly cron: CronService;
  /** Only where the phase functions have to be inside the network to reach the database. */
  readonly functionSecurityGroup: ec2.SecurityGroup | undefined;

  constructor(scope: Construct, config: Config, edge: EdgeStack | undefined, bundles: FunctionBundles) {
    super(scope, 'Platform', config, {
      description: `Moodle ${config.site}: platform`,
      crossRegionReferences: edge !== undefined || EdgeWatchingStack.isNeeded(config),
    });
    const { site } = config;
    const settings = new CurrentSettings(this, 'Settings', {
      site,
      read: ['image-tag', 'desired-nodes', 'minimum-nodes', 'maximum-nodes', 'scheduled-nodes', 'cron-nodes'],
    });

    this.watchingKey = new WatchingKey(this, 'WatchingKey', config);
    this.notifications = new Notifications(this, 'Notifications', {
      site,
      key: this.watchingKey.key,
      email: config.notificationEmail,
    });

    const network = siteNetwork(this, 'Network', config);
    this.network = network;

    this.siteSecrets = new SiteSecrets(this, 'Secrets', { site, adminUser: config.adminUser });
    this.database = database(this, 'Database', network, config);
    new DatabaseEvents(this, 'DatabaseEvents', { database: this.database, topic: this.notifications.topic });
    this.databaseRotation =
      config.databaseRotationDays > 0
        ? new DatabaseRotation(this, 'DatabaseRotation', { config, database: this.database, network })
        : undefined;
    const stores = new Stores(this, 'Stores', network, config);
    this.sessionStore = stores.session;
    this.applicationStore = stores.application;
    this.files = new Files(this, 'Files', network, config);
    this.backups = new Backups(this, 'Backups', { config, database: this.database, files: this.files });
    this.imageBuild = new ImageBuild(this, 'ImageBuild', config);

    const zone = hostedZone(this, 'Zone', config);
    const certificate = siteCertificate(this, 'Certificate', config, config.certificateArn, zone);
    this.loadBalancer = new LoadBalancer(this, 'LoadBalancer', { network, config, certificate });
    const accessLogs = new AccessLogs(this, 'AccessLogs', { config, balancer: this.loadBalancer.alb });
    this.distribution = config.cloudFront ? this.#distribution(edge, accessLogs) : undefined;
    if (config.waf && !config.cloudFront) {
      new Firewall(this, 'Firewall', 'REGIONAL', config).protect(this.loadBalancer.alb);
    }
    const { loadBalancer, distribution } = this;
    const { domainName } = config;
    if (zone && domainName !== undefined) new SiteName(this, 'Name', { zone, domainName, loadBalancer, distribution });
    this.siteUrl = distribution
      ? `https://${domainName ?? distribution.distribution.distributionDomainName}`
      : `${loadBalancer.scheme}://${domainName ?? loadBalancer.alb.loadBalancerDnsName}`;

    this.nodes = new Nodes(this, 'Nodes', network, config);
    for (const part of [network, this.database, stores, this.files]) part.allowFrom(this.nodes);
    const node = {
      config,
      capacity: this.nodes.capacity,
      image: ecs.ContainerImage.fromEcrRepository(this.imageBuild.repository, settings.text('image-tag')),
      files: this.files,
      settings: nodeSettings(this, { ...this, config, siteUrl: this.siteUrl }),
    };
    this.webTask = new NodeTask(this, 'WebTask', { ...node, role: 'web' });
    this.cronTask = new NodeTask(this, 'CronTask', { ...node, role: 'cron' });
    this.web = new WebService(this, 'Web', {
      config,
      nodes: this.nodes,
      task: this.webTask,
      loadBalancer: this.loadBalancer,
      settings,
    });
    this.cron = new CronService(this, 'Cron', { config, nodes: this.nodes, task: this.cronTask, settings });

    this.functionSecurityGroup = config.databaseAccess === 'network' ? this.#functionSecurityGroup() : undefined;
    if (!config.keepData) new Leftovers(this, 'Leftovers', { platform: this, config, bundles });
    platformOutputs(this);
  }

  #distribution(edge: EdgeStack | undefined, accessLogs: AccessLogs): SiteDistribution {
    const { config, loadBalancer } = this;
    const given = siteCertificate(this, 'ViewerCertificate', config, config.cloudFrontCertificateArn, undefined);
    return new SiteDistribution(this, 'CloudFront', {
      config,
      loadBalancer,
      certificate: given ?? edge?.certificate,
      webAclArn: edge?.firewall?.webAclArn,
      logs: accessLogs.ofCloudFront,
    });
  }

  #functionSecurityGroup(): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'FunctionSecurityGroup', {
      vpc: this.network.vpc,
      description: `Phase functions of ${this.config.site}`,
      allowAllOutbound: true,
    });
    for (const part of [this.network, this.database]) part.allowFrom(group);
    return group;
  }
}
