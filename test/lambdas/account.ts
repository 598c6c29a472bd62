import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { BackupClient } from '@aws-sdk/client-backup';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { CodeBuildClient } from '@aws-sdk/client-codebuild';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type {
  Deployment,
  ECSClient,
  RunTaskRequest,
  Service,
  Task,
  TaskDefinition,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import type { RDSClient } from '@aws-sdk/client-rds';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { TaskReport } from '../../lambdas/shared/acknowledgements.ts';
import { wantedCacheConfiguration } from '../../lambdas/shared/cache-configuration.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { nodeId } from '../../lambdas/shared/nodes.ts';
import { type Settings, settingsFrom } from '../../lambdas/shared/settings.ts';
import { MoodleDoor } from './moodle-door.ts';
import { moodleVersion } from './moodle-tables.ts';

const environment = {
  SITE: 'campus',
  SITE_URL: 'http://127.0.0.1:9',
  CLUSTER_ARN: 'arn:aws:ecs:eu-central-1:111122223333:cluster/campus',
  WEB_SERVICE_NAME: 'web',
  CRON_SERVICE_NAME: 'cron',
  TASK_DEFINITION_FAMILY: 'web-family',
  CRON_TASK_DEFINITION_FAMILY: 'cron-family',
  CONTAINER_NAME: 'moodle',
  TASK_CAPACITY_PROVIDER: 'FARGATE',
  TASK_SUBNETS: 'subnet-1,subnet-2',
  TASK_SECURITY_GROUPS: 'sg-1',
  TARGET_GROUP_ARN: 'arn:target-group',
  STICKY_SECONDS: '0',
  PARAMETER_PREFIX: '/moodle/campus',
  REPOSITORY_NAME: 'repository',
  REPOSITORY_URI: 'registry/repository',
  IMAGE_TAG: 'content-1',
  BUILD_PROJECT_NAME: 'build-project',
  MANIFEST_BUCKET: 'manifests',
  MOODLE_VERSION: '5.1',
  MOODLE_CHECKSUM: 'published',
  PLUGIN_DIRECTORY_URL: 'http://127.0.0.1:9/api/1.3',
  DATABASE_IDENTIFIER: 'campus-database',
  FILE_SYSTEM_ARN: 'arn:file-system',
  BACKUP_VAULT_NAME: 'vault',
  BACKUP_ROLE_ARN: 'arn:role/backup',
  NOTIFICATION_TOPIC_ARN: 'arn:topic',
  DATABASE_ENGINE: 'postgresql',
  DATABASE_ACCESS: 'network',
  DATABASE_PREFIX: 'mdl_',
  ADMIN_USER: 'operator',
  ADMIN_SECRET_ARN: 'arn:secret:administrator',
  DATABASE_SECRET_ARN: 'arn:secret:database',
  SESSION_STORE_TYPE: 'redis',
  SESSION_STORE_KIND: 'replication-group',
  SESSION_STORE_ID: 'session-store',
  SESSION_STORE_ENDPOINT: 'sessions:6379',
  APPLICATION_STORE_TYPE: 'redis',
  APPLICATION_STORE_KIND: 'replication-group',
  APPLICATION_STORE_ID: 'application-store',
  APPLICATION_STORE_ENDPOINT: 'application:6379',
  APPLICATION_STORE_SECRET_ARN: 'arn:secret:application',
  DEFAULT_NODES: '2',
  MAXIMUM_NODES: '4',
  NORMAL_HEALTH_GRACE_SECONDS: '60',
  INSTALL_HEALTH_GRACE_SECONDS: '1800',
};

type Answer = object | Promise<object>;

const wholePages = { visitor: { kind: 'page', status: 200 }, administrator: { kind: 'page', status: 200 } };

interface FakeService extends Service {
  deployments: Deployment[];
}

/**
 * A small account in memory, for the phases' decisions: what ECS and the others would have done is done when a test
 * calls `settle()`. The real protocols and servers are met by whole rollouts on a rehearsal; the database here is real.
 */
export class Account {
  settings: Settings;
  /** What visitors of the site meet, once it serves. */
  readonly door = new MoodleDoor(() => this.running().map(nodeId));
  readonly database: MoodleDatabase;
  readonly services = new Map<string, FakeService>();
  readonly taskDefinitions: TaskDefinition[] = [];
  readonly tasks: Task[] = [];
  readonly parameters = new Map<string, string>();
  readonly images = new Set<string>();
  readonly builds: { id: string; buildStatus: string; currentPhase?: string; token: string; tag: string }[] = [];
  readonly executions = new Map<string, string>();
  readonly calls: string[] = [];
  /** Text by key of the bucket of manifests. */
  readonly objects = new Map<string, string>();
  /** Lines of every build's log. */
  buildLog: string[] = [];
  /** How a build ends. */
  buildEnds = 'SUCCEEDED';
  readonly published: { Subject: string; Message: string }[] = [];
  readonly backupJobs: { BackupJobId: string; State: string; IdempotencyToken: string }[] = [];
  /** When images were pushed, by tag; left out: a minute ago. */
  readonly pushed = new Map<string, Date>();
  scalable = { MinCapacity: 0, MaxCapacity: 1, SuspendedState: { DynamicScalingOutSuspended: false } };
  stickiness = new Map([
    ['stickiness.enabled', 'false'],
    ['stickiness.lb_cookie.duration_seconds', '86400'],
  ]);
  redisStatus = 'available';
  redisTls = true;
  /** As ElastiCache writes it: in capitals. */
  serverless: object = { Status: 'AVAILABLE', Engine: 'valkey', UserGroupId: 'users' };
  /** What a one-off task reports; undefined: it stops without a report. */
  report: (command: readonly string[], image: string) => TaskReport | undefined | Promise<TaskReport | undefined> =
    () => ({
      ok: true,
      copied: 2,
      server: 'redis 7.0.15',
      milliseconds: 2,
    });
  /** What a task that inspects the site reports of its pages; undefined: its image does not know that role. */
  pages: ((image: string) => Record<string, object>) | undefined = () => wholePages;
  /** Why no session can be opened; undefined: one can. */
  noSession: string | undefined;
  /** What a new web node acknowledges beside the usual; undefined: it stops with exit code 1. */
  serving: (() => Record<string, unknown>) | undefined = () => ({});
  /** Whether a new web node with this image waits for the database's upgrade before it serves. */
  waits: (image: string) => Promise<boolean> = async () => false;
  /** Errors to throw once, by operation. */
  readonly faults = new Map<string, Error>();
  readonly #tokens = new Map<string, Task>();
  readonly #serving = new Set<Task>();
  #serial = 0;

  constructor(database: MoodleDatabase, changes: Readonly<Record<string, string>> = {}) {
    this.database = database;
    this.settings = settingsFrom({ ...environment, ...changes });
    for (const name of ['web', 'cron']) {
      const taskDefinition = this.#register({
        family: `${name}-family`,
        taskRoleArn: `arn:role/${name}`,
        containerDefinitions: [{ name: 'moodle', image: 'registry/repository:none', command: [name], secrets: [] }],
        cpu: '512',
      });
      this.services.set(name, {
        serviceName: name,
        status: 'ACTIVE',
        desiredCount: 0,
        healthCheckGracePeriodSeconds: 60,
        taskDefinition,
        deployments: [{ id: `ecs-svc/${name}-0`, status: 'PRIMARY', rolloutState: 'COMPLETED', taskDefinition }],
      });
    }
    const initial = {
      'session-store': 'database',
      'image-tag': 'none',
      'desired-nodes': '0',
      'minimum-nodes': '0',
      'maximum-nodes': '1',
      'scheduled-nodes': '0',
      'cron-nodes': '0',
    };
    for (const [name, value] of Object.entries(initial)) this.parameters.set(name, value);
  }

  get web(): FakeService {
    return this.#service('web');
  }

  get cron(): FakeService {
    return this.#service('cron');
  }

  /** Clients of all services; a phase takes those that it names. */
  get clients() {
    const client = { send: (command: object) => this.#send(command) };
    return {
      settings: this.settings,
      database: this.database,
      ecs: client as unknown as ECSClient,
      ssm: client as unknown as SSMClient,
      scaling: client as unknown as ApplicationAutoScalingClient,
      balancer: client as unknown as ElasticLoadBalancingV2Client,
      caches: client as unknown as ElastiCacheClient,
      executions: client as unknown as SFNClient,
      images: client as unknown as ECRClient,
      builds: client as unknown as CodeBuildClient,
      secrets: client as unknown as SecretsManagerClient,
      logs: client as unknown as CloudWatchLogsClient,
      s3: client as unknown as S3Client,
      sns: client as unknown as SNSClient,
      rds: client as unknown as RDSClient,
      backup: client as unknown as BackupClient,
      deployedPlugins: [],
    };
  }

  /** A site that is installed, configured and serves, as a finished rollout leaves it. */
  async serve(nodes: number): Promise<void> {
    this.settings = Object.create(this.settings, { siteUrl: { value: await this.door.listen() } });
    const { stores, mappings } = wantedCacheConfiguration(this.settings);
    for (const { name, plugin, endpoint, tls, prefix, secretArn } of stores) {
      await this.database.execute(
        `INSERT INTO moodle_lifecycle.cache_store VALUES ('campus', :name, :plugin, :endpoint, :tls, :prefix, :secretArn)`,
        { name, plugin, endpoint, tls, prefix, secretArn },
      );
    }
    for (const [mode, store] of Object.entries(mappings)) {
      await this.database.execute(`INSERT INTO moodle_lifecycle.cache_mode_mapping VALUES ('campus', :mode, :store)`, {
        mode,
        store,
      });
    }
    const initial = {
      'session-store': 'redis',
      'image-tag': 'content-1',
      'desired-nodes': String(nodes),
      'minimum-nodes': '2',
      'maximum-nodes': '4',
      'cron-nodes': '1',
    };
    for (const [name, value] of Object.entries(initial)) this.parameters.set(name, value);
    this.images.add('content-1');
    for (const [name, desiredCount] of [
      ['web', nodes],
      ['cron', 1],
    ] as const) {
      const service = this.#service(name);
      const deployed = this.#definition(service.taskDefinition ?? '');
      const taskDefinition = this.#register({
        ...deployed,
        containerDefinitions: [{ ...deployed.containerDefinitions?.[0], image: 'registry/repository:content-1' }],
      });
      this.#update({ service: name, desiredCount, taskDefinition });
    }
    this.scalable = { MinCapacity: 2, MaxCapacity: 4, SuspendedState: { DynamicScalingOutSuspended: false } };
    await this.settle();
    this.calls.length = 0;
  }

  running(service = 'web'): Task[] {
    return this.tasks.filter((task) => task.group === `service:${service}` && task.lastStatus === 'RUNNING');
  }

  /** All that AWS would do in a few minutes: nodes start, old ones drain, tasks end and report, builds succeed. */
  async settle(): Promise<void> {
    for (const build of this.builds.filter((one) => one.buildStatus === 'IN_PROGRESS')) {
      build.buildStatus = this.buildEnds;
      if (this.buildEnds === 'SUCCEEDED') this.images.add(build.tag);
    }
    await this.settleTasks();
    for (const service of this.services.values()) await this.#settleService(service);
    for (const job of this.backupJobs) job.State = 'COMPLETED';
  }

  /** One-off tasks end and report. */
  async settleTasks(): Promise<void> {
    for (const task of this.tasks.filter((one) => one.group === 'one-off' && one.lastStatus !== 'STOPPED')) {
      const command = task.overrides?.containerOverrides?.[0]?.command ?? [];
      if (task.desiredStatus === 'STOPPED') {
        this.stop(task, 'UserInitiated', 137);
        continue;
      }
      const image = this.#imageOf(task.taskDefinitionArn);
      const inspects = command[0] === 'inspect';
      const report = inspects ? await this.#inspect(task, command, image) : await this.report(command, image);
      if (report) await this.#acknowledge(task, command[0] ?? '', report);
      this.stop(task, 'EssentialContainerExited', report?.ok ? 0 : 1);
    }
  }

  async #inspect(task: Task, what: readonly string[], image: string): Promise<TaskReport | undefined> {
    if (!this.pages) return undefined;
    if (what.includes('session')) {
      if (this.noSession) return { ok: false, problem: this.noSession };
      await this.#acknowledge(task, 'rollout-session', this.door.openSession());
    }
    return { ok: true, pages: this.pages(image) };
  }

  async #settleService(service: FakeService): Promise<void> {
    const [primary] = service.deployments;
    if (!primary) return;
    const name = service.serviceName ?? '';
    const fresh = this.running(name).filter((task) => task.startedBy === primary.id);
    const waiting = name === 'web' && (await this.waits(this.#imageOf(primary.taskDefinition)));
    const says = name === 'web' ? this.serving : () => ({ role: 'cron' });
    for (let count = fresh.length; count < (service.desiredCount ?? 0); count++) {
      const task = this.#task({ group: `service:${name}`, startedBy: primary.id, lastStatus: 'RUNNING' });
      if (says === undefined) this.stop(task, 'EssentialContainerExited', 1);
      else if (waiting) await this.#acknowledge(task, 'waiting-for-upgrade', {});
      else fresh.push(task);
    }
    // Not healthy yet, so that the old ones stay.
    if (waiting) return;
    for (const task of fresh.filter((one) => !this.#serving.has(one))) {
      this.#serving.add(task);
      await this.#acknowledge(task, 'serving', { ...(await this.#usual()), ...says?.() });
    }
    if (this.running(name).filter((task) => task.startedBy === primary.id).length < (service.desiredCount ?? 0)) return;
    const surplus = this.running(name)
      .filter((task) => task.startedBy === primary.id)
      .slice(service.desiredCount ?? 0);
    const old = this.running(name).filter((task) => task.startedBy !== primary.id);
    for (const task of [...old, ...surplus]) this.stop(task, 'ServiceSchedulerInitiated');
    primary.rolloutState = 'COMPLETED';
    service.deployments = [primary];
  }

  stop(task: Task, stopCode: Task['stopCode'], exitCode?: number): void {
    Object.assign(task, {
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stopCode,
      stoppedReason: 'Essential container in task exited',
      stoppedAt: new Date(),
      containers: [{ name: 'moodle', ...(exitCode === undefined ? {} : { exitCode }) }],
    });
  }

  async #usual(): Promise<Record<string, unknown>> {
    const [row] = await this.database.query(
      `SELECT hash FROM moodle_lifecycle.cache_configuration_hash WHERE site = 'campus'`,
    );
    return {
      role: 'web',
      moodleRelease: '5.1',
      moodleVersion,
      databaseVersion: moodleVersion,
      upgradePending: false,
      sessionStore: this.parameters.get('session-store'),
      cacheConfigurationHash: row?.hash ?? '',
      php: '8.4.1',
      moodle: 'real',
    };
  }

  async #acknowledge(task: Task, subject: string, value: object): Promise<void> {
    const { json, now } = this.database.dialect;
    await this.database.execute(
      `INSERT INTO moodle_lifecycle.node_acknowledgement VALUES ('campus', :node, :subject, ${json(':value')}, ${now})`,
      { node: task.taskArn?.split('/').at(-1) ?? '', subject, value: JSON.stringify(value) },
    );
  }

  #service(name: string): FakeService {
    const service = this.services.get(name);
    if (!service) throw new Error(`No service ${name}.`);
    return service;
  }

  #task(members: Partial<Task>): Task {
    this.#serial += 1;
    const task = {
      taskArn: `arn:aws:ecs:task/campus/${`node${this.#serial}-`.padEnd(12, '0')}`,
      createdAt: new Date(),
      ...members,
    };
    this.tasks.push(task);
    return task;
  }

  /** Tag of the image of a revision; of the web service's own where none is given. */
  #imageOf(taskDefinition = this.web.taskDefinition): string {
    const [container] = this.#definition(taskDefinition ?? '').containerDefinitions ?? [];
    return container?.image?.split(':').at(-1) ?? '';
  }

  #definition(name: string): TaskDefinition {
    const found = this.taskDefinitions.findLast((one) => one.taskDefinitionArn === name || one.family === name);
    if (!found) throw new Error(`No task definition ${name}.`);
    return found;
  }

  #register(definition: TaskDefinition): string {
    const revision = this.taskDefinitions.filter((one) => one.family === definition.family).length + 1;
    const taskDefinitionArn = `arn:aws:ecs:task-definition/${definition.family}:${revision}`;
    this.taskDefinitions.push({ ...definition, revision, taskDefinitionArn, status: 'ACTIVE' });
    return taskDefinitionArn;
  }

  #update(change: Omit<UpdateServiceRequest, 'service'> & { service: string }): FakeService {
    const service = this.#service(change.service);
    const { desiredCount, healthCheckGracePeriodSeconds, taskDefinition, forceNewDeployment } = change;
    if (desiredCount !== undefined) service.desiredCount = desiredCount;
    if (healthCheckGracePeriodSeconds !== undefined)
      service.healthCheckGracePeriodSeconds = healthCheckGracePeriodSeconds;
    if (forceNewDeployment || (taskDefinition && taskDefinition !== service.taskDefinition)) {
      service.taskDefinition = taskDefinition ?? service.taskDefinition ?? '';
      this.#serial += 1;
      const old = service.deployments.map((deployment) => ({ ...deployment, status: 'ACTIVE' }));
      const primary = {
        id: `ecs-svc/${change.service}-${this.#serial}`,
        status: 'PRIMARY',
        rolloutState: 'IN_PROGRESS' as const,
        taskDefinition: service.taskDefinition,
      };
      service.deployments = [primary, ...old];
    }
    return service;
  }

  async #send(command: object): Promise<object> {
    const operation = command.constructor.name.replace(/Command$/, '');
    this.calls.push(operation);
    const fault = this.faults.get(operation);
    if (fault) {
      this.faults.delete(operation);
      throw fault;
    }
    const run = this.operations[operation];
    if (!run) throw new Error(`The account does not know ${operation}.`);
    const answer = await run((command as { input: never }).input);
    // What S3 answers has a method, which cannot be copied.
    return 'Body' in answer ? answer : structuredClone(answer);
  }

  /** By name of the operation; a test may add what only it needs. */
  readonly operations: Record<string, (input: never) => Answer> = {
    DescribeServices: ({ services }: { services: string[] }) => ({
      services: services.map((name) => this.services.get(name)),
    }),
    UpdateService: (input: UpdateServiceRequest & { service: string }) => ({ service: this.#update(input) }),
    ListTasks: ({ serviceName, desiredStatus }: { serviceName?: string; desiredStatus: string }) => ({
      taskArns: this.tasks
        // One-off tasks are of the same family as the web nodes.
        .filter((task) => serviceName === undefined || task.group === `service:${serviceName}`)
        .filter((task) => (task.lastStatus === 'STOPPED') === (desiredStatus === 'STOPPED'))
        .map((task) => task.taskArn),
    }),
    DescribeTasks: ({ tasks }: { tasks: string[] }) => ({
      tasks: this.tasks.filter((task) => tasks.includes(task.taskArn ?? '')),
    }),
    DescribeTaskDefinition: ({ taskDefinition }: { taskDefinition: string }) => ({
      taskDefinition: this.#definition(taskDefinition),
    }),
    RegisterTaskDefinition: (definition: TaskDefinition) => ({
      taskDefinition: { taskDefinitionArn: this.#register(definition) },
    }),
    RunTask: ({ clientToken, overrides, startedBy, taskDefinition }: RunTaskRequest & { clientToken: string }) => {
      const known = this.#tokens.get(clientToken);
      const task =
        known ??
        this.#task({
          group: 'one-off',
          ...(startedBy ? { startedBy } : {}),
          ...(taskDefinition ? { taskDefinitionArn: taskDefinition } : {}),
          overrides: overrides ?? {},
          lastStatus: 'PENDING',
          desiredStatus: 'RUNNING',
        });
      this.#tokens.set(clientToken, task);
      return { tasks: [task] };
    },
    StopTask: ({ task: arn }: { task: string }) => {
      const task = this.tasks.find(({ taskArn }) => taskArn === arn);
      if (task) Object.assign(task, { desiredStatus: 'STOPPED' });
      return {};
    },
    GetParameters: ({ Names }: { Names: string[] }) => ({
      Parameters: Names.map((Name) => ({ Name, Value: this.parameters.get(Name.split('/').at(-1) ?? '') })),
    }),
    PutParameter: ({ Name, Value }: { Name: string; Value: string }) => {
      this.parameters.set(Name.split('/').at(-1) ?? '', Value);
      return {};
    },
    DescribeScalableTargets: () => ({ ScalableTargets: [this.scalable] }),
    RegisterScalableTarget: (wanted: typeof this.scalable) => {
      this.scalable = wanted;
      // AWS brings the capacity into the range at once, also of a suspended target.
      const { web } = this;
      web.desiredCount = Math.min(Math.max(web.desiredCount ?? 0, wanted.MinCapacity), wanted.MaxCapacity);
      return {};
    },
    DescribeTargetGroupAttributes: () => ({
      Attributes: [...this.stickiness].map(([Key, Value]) => ({ Key, Value })),
    }),
    ModifyTargetGroupAttributes: ({ Attributes }: { Attributes: { Key: string; Value: string }[] }) => {
      for (const { Key, Value } of Attributes) this.stickiness.set(Key, Value);
      return {};
    },
    DescribeTargetHealth: () => ({
      TargetHealthDescriptions: this.running().map(() => ({ TargetHealth: { State: 'healthy' } })),
    }),
    DescribeReplicationGroups: () => ({
      ReplicationGroups: [
        { Status: this.redisStatus, TransitEncryptionEnabled: this.redisTls, AuthTokenEnabled: true },
      ],
    }),
    DescribeServerlessCaches: () => ({ ServerlessCaches: [this.serverless] }),
    DescribeCacheClusters: () => ({ CacheClusters: [{ CacheClusterStatus: 'available', NumCacheNodes: 2 }] }),
    DescribeExecution: ({ executionArn }: { executionArn: string }) => {
      const status = this.executions.get(executionArn);
      if (status) return { status };
      throw Object.assign(new Error('unknown'), { name: 'ExecutionDoesNotExist' });
    },
    DescribeImages: ({ imageIds }: { imageIds?: { imageTag: string }[] }) => {
      const detail = (tag: string) => ({
        imageTags: [tag],
        imageDigest: 'sha256:abc',
        imagePushedAt: this.pushed.get(tag) ?? new Date(Date.now() - 60_000),
      });
      if (!imageIds) return { imageDetails: [...this.images].map(detail) };
      const [image] = imageIds;
      if (image && this.images.has(image.imageTag)) return { imageDetails: [detail(image.imageTag)] };
      throw Object.assign(new Error('no image'), { name: 'ImageNotFoundException' });
    },
    DescribeImageScanFindings: () => ({
      imageScanStatus: { status: 'COMPLETE' },
      imageScanFindings: { findingSeverityCounts: { HIGH: 2 } },
    }),
    BatchDeleteImage: ({ imageIds }: { imageIds: { imageTag: string }[] }) => {
      for (const { imageTag } of imageIds) this.images.delete(imageTag);
      return {};
    },
    StartBuild: ({
      idempotencyToken,
      environmentVariablesOverride: [variable],
    }: {
      idempotencyToken: string;
      environmentVariablesOverride: { value: string }[];
    }) => {
      const known = this.builds.find((build) => build.token === idempotencyToken);
      const build = known ?? {
        id: `build:${this.builds.length}`,
        buildStatus: 'IN_PROGRESS',
        currentPhase: 'QUEUED',
        token: idempotencyToken,
        tag: variable?.value ?? '',
        logs: { groupName: 'builds', streamName: 'one', deepLink: 'https://log' },
      };
      if (!known) this.builds.push(build);
      return { build };
    },
    BatchGetBuilds: ({ ids }: { ids: string[] }) => ({ builds: this.builds.filter((build) => ids.includes(build.id)) }),
    GetLogEvents: () => ({ events: this.buildLog.map((message) => ({ message: `${message}\n` })) }),
    PutObject: ({ Key, Body }: { Key: string; Body: string }) => {
      this.objects.set(Key, Body);
      return {};
    },
    GetObject: ({ Key }: { Key: string }) => {
      const text = this.objects.get(Key);
      if (text === undefined) throw Object.assign(new Error('no such key'), { name: 'NoSuchKey' });
      return { Body: { transformToString: async () => text } };
    },
    Publish: (message: { Subject: string; Message: string }) => {
      this.published.push(message);
      return {};
    },
    StartBackupJob: ({ IdempotencyToken }: { IdempotencyToken: string }) => {
      const known = this.backupJobs.find((job) => job.IdempotencyToken === IdempotencyToken);
      const job = known ?? { BackupJobId: `job-${this.backupJobs.length}`, State: 'RUNNING', IdempotencyToken };
      if (!known) this.backupJobs.push(job);
      return job;
    },
    DescribeBackupJob: ({ BackupJobId }: { BackupJobId: string }) => ({
      ...this.backupJobs.find((job) => job.BackupJobId === BackupJobId),
      RecoveryPointArn: 'arn:recovery-point',
    }),
    GetSecretValue: ({ SecretId }: { SecretId: string }) => {
      const username = SecretId === 'arn:secret:database' ? 'moodle' : 'operator';
      return { SecretString: JSON.stringify({ username, password: `${username}-secret` }), VersionId: `${SecretId}:1` };
    },
  };
}
