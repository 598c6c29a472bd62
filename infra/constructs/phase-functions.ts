import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { databaseVariables, type PhaseVariable, phaseEnvironment } from './phase-environment.ts';
import { PhaseFunction } from './phase-function.ts';
import { type Permission, phasePermissions } from './phase-permissions.ts';

interface Phase {
  readonly description: string;
  readonly timeoutSeconds: number;
  /** Beside SITE and what reaches the database, which every phase reads. */
  readonly reads: readonly PhaseVariable[];
  /** Beside the use of the database. */
  readonly may: readonly Permission[];
}

const web = ['CLUSTER_ARN', 'WEB_SERVICE_NAME'] as const;
const oneOffTasks = ['CONTAINER_NAME', 'TASK_CAPACITY_PROVIDER', 'TASK_SECURITY_GROUPS', 'TASK_SUBNETS'] as const;

const settingsAndServices = ['read settings', 'change settings', 'read services', 'change services'] as const;
const tasks = ['run one-off tasks', 'read tasks', 'list tasks'] as const;
const scaling = ['read scaling', 'change scaling'] as const;

/** Seconds: longer than one statement of the Data API may take (45), shorter than the state waits for the function. */
const usual = 60;
/** For phases that make many requests one after the other. */
const long = 120;
/** For the one that reads the archives of all new plugins. */
const longest = 300;

/** Each `lambdas/<name>.ts` with what it is given and what it may do: no more than its code uses. */
const phases = {
  'check-site': {
    description: 'Holds the site and finds out what is there',
    timeoutSeconds: long,
    reads: [
      ...web,
      ...oneOffTasks,
      'APPLICATION_STORE_ID',
      'APPLICATION_STORE_KIND',
      'CRON_SERVICE_NAME',
      'DATABASE_PREFIX',
      'DEFAULT_NODES',
      'IMAGE_TAG',
      'MAXIMUM_NODES',
      'NORMAL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'SESSION_STORE_ID',
      'SESSION_STORE_KIND',
      'SITE_URL',
    ],
    may: ['read settings', 'read services', ...tasks, 'read scaling', 'read stores'],
  },
  'build-image': {
    description: 'Has the image built, unless its tag is there',
    timeoutSeconds: usual,
    reads: [
      'BUILD_PROJECT_NAME',
      'IMAGE_TAG',
      'MANIFEST_BUCKET',
      'MOODLE_CHECKSUM',
      'MOODLE_VERSION',
      'REPOSITORY_NAME',
    ],
    may: ['build images', 'read manifests', 'write manifests'],
  },
  'start-one-node': {
    description: 'Starts one node, and holds the capacity at one',
    timeoutSeconds: usual,
    reads: [
      ...web,
      'CONTAINER_NAME',
      'INSTALL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'REPOSITORY_URI',
      'TASK_DEFINITION_FAMILY',
    ],
    may: [...settingsAndServices, 'register task definitions', 'read tasks', 'list tasks', ...scaling],
  },
  'wait-for-install': {
    description: 'Measures how far the install is, until it is finished',
    timeoutSeconds: usual,
    reads: [...web, 'DATABASE_PREFIX', 'SITE_URL'],
    may: ['read services', 'read tasks', 'list tasks'],
  },
  'fix-lastip': {
    description: "Gives the pending administrator's row the address that Moodle compares",
    timeoutSeconds: usual,
    reads: [...web, ...oneOffTasks, 'DATABASE_PREFIX', 'SITE_URL'],
    may: ['read services', 'run one-off tasks', 'read tasks'],
  },
  'configure-cache-stores': {
    description: 'Writes the wanted cache stores, and has the nodes apply them',
    timeoutSeconds: usual,
    reads: [
      ...web,
      ...oneOffTasks,
      'APPLICATION_STORE_ENDPOINT',
      'APPLICATION_STORE_SECRET_ARN',
      'APPLICATION_STORE_TYPE',
    ],
    may: ['read services', 'change services', ...tasks],
  },
  'enable-session-caching': {
    description: 'Moves the sessions to their store and logs nobody out',
    timeoutSeconds: usual,
    reads: [
      ...web,
      ...oneOffTasks,
      'PARAMETER_PREFIX',
      'SESSION_STORE_ENDPOINT',
      'SESSION_STORE_TYPE',
      'STICKY_SECONDS',
      'TARGET_GROUP_ARN',
    ],
    may: [...settingsAndServices, ...tasks, 'read stickiness', 'change stickiness'],
  },
  'scale-out': {
    description: 'Releases capacity and automatic scaling to the wanted range',
    timeoutSeconds: usual,
    reads: [
      ...web,
      'CONTAINER_NAME',
      'CRON_SERVICE_NAME',
      'CRON_TASK_DEFINITION_FAMILY',
      'MAXIMUM_NODES',
      'NORMAL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'REPOSITORY_URI',
      'TARGET_GROUP_ARN',
    ],
    may: [
      ...settingsAndServices,
      'register task definitions',
      'read tasks',
      'list tasks',
      ...scaling,
      'read target health',
    ],
  },
  'verify-site': {
    description: 'Follows one session across every node, and reads back what the rollout set',
    timeoutSeconds: long,
    reads: [
      ...web,
      ...oneOffTasks,
      'ADMIN_SECRET_ARN',
      'ADMIN_USER',
      'APPLICATION_STORE_ENDPOINT',
      'APPLICATION_STORE_SECRET_ARN',
      'APPLICATION_STORE_TYPE',
      'DATABASE_PREFIX',
      'PARAMETER_PREFIX',
      'SESSION_STORE_TYPE',
      'SITE_URL',
    ],
    may: ['read settings', 'read services', ...tasks, 'log in as administrator'],
  },
  'release-site': {
    description: 'Ends the hold of a rollout that succeeded',
    timeoutSeconds: usual,
    reads: [],
    may: [],
  },
  'operator-hold': {
    description: "Takes the site for a person, or ends a person's hold",
    timeoutSeconds: usual,
    reads: [],
    may: [],
  },
  'put-back': {
    description: 'Puts back what a failed rollout changed, and ends its hold',
    timeoutSeconds: long,
    reads: [
      ...web,
      ...oneOffTasks,
      'CRON_SERVICE_NAME',
      'PARAMETER_PREFIX',
      'SESSION_STORE_TYPE',
      'STICKY_SECONDS',
      'TARGET_GROUP_ARN',
    ],
    may: [...settingsAndServices, ...tasks, ...scaling, 'read stickiness', 'change stickiness'],
  },
  'check-site-for-update': {
    description: 'Holds the site for an update, and takes over one that was left',
    timeoutSeconds: long,
    reads: [
      ...web,
      ...oneOffTasks,
      'CRON_SERVICE_NAME',
      'DATABASE_IDENTIFIER',
      'DATABASE_PREFIX',
      'NORMAL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'SITE_URL',
    ],
    may: ['read settings', 'read services', ...tasks, 'read scaling', 'find databases', 'exchange databases'],
  },
  'find-updates': {
    description: "Asks Moodle's plugin directory, and decides what is updated",
    timeoutSeconds: longest,
    reads: [
      'DATABASE_PREFIX',
      'IMAGE_TAG',
      'MANIFEST_BUCKET',
      'MOODLE_CHECKSUM',
      'MOODLE_VERSION',
      'PARAMETER_PREFIX',
      'PLUGIN_DIRECTORY_URL',
    ],
    may: ['read settings', 'read manifests'],
  },
  'take-snapshot': {
    description: 'Takes a snapshot of the database, and a recovery point of files that change',
    timeoutSeconds: usual,
    reads: ['BACKUP_ROLE_ARN', 'BACKUP_VAULT_NAME', 'DATABASE_IDENTIFIER', 'FILE_SYSTEM_ARN'],
    may: ['take snapshots', 'find snapshots', 'back files up'],
  },
  'request-approval': {
    description: 'Tells the operator that an update waits for a person',
    timeoutSeconds: usual,
    reads: ['NOTIFICATION_TOPIC_ARN'],
    may: ['notify the operator'],
  },
  'upgrade-site': {
    description: "Has one task run Moodle's upgrade, with the new nodes waiting for it",
    timeoutSeconds: usual,
    reads: [
      ...web,
      ...oneOffTasks,
      'CRON_SERVICE_NAME',
      'DATABASE_PREFIX',
      'INSTALL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'REPOSITORY_URI',
      'TASK_DEFINITION_FAMILY',
    ],
    may: [...settingsAndServices, 'register task definitions', ...tasks, ...scaling],
  },
  'roll-nodes': {
    description: 'Waits for the nodes of the new image, and ends what only the upgrade needed',
    timeoutSeconds: usual,
    reads: [
      ...web,
      ...oneOffTasks,
      'CRON_SERVICE_NAME',
      'CRON_TASK_DEFINITION_FAMILY',
      'NORMAL_HEALTH_GRACE_SECONDS',
      'PARAMETER_PREFIX',
      'REPOSITORY_URI',
      'TASK_DEFINITION_FAMILY',
    ],
    may: [...settingsAndServices, 'register task definitions', ...tasks, ...scaling],
  },
  'clean-up': {
    description: 'Ends an update, and removes what no policy keeps of earlier ones',
    timeoutSeconds: long,
    reads: ['DATABASE_IDENTIFIER', 'IMAGE_TAG', 'PARAMETER_PREFIX', 'REPOSITORY_NAME'],
    may: ['read settings', 'find snapshots', 'remove snapshots', 'find databases', 'remove databases', 'remove images'],
  },
  'put-back-update': {
    description: 'Brings image and database of a failed update back, and ends its hold',
    timeoutSeconds: long,
    reads: [
      ...web,
      ...oneOffTasks,
      'CRON_SERVICE_NAME',
      'DATABASE_IDENTIFIER',
      'DATABASE_PREFIX',
      'PARAMETER_PREFIX',
      'TASK_DEFINITION_FAMILY',
    ],
    may: [
      ...settingsAndServices,
      'run one-off tasks',
      'stop tasks',
      'read tasks',
      'list tasks',
      ...scaling,
      'find databases',
      'restore databases',
      'exchange databases',
    ],
  },
} as const satisfies Readonly<Record<string, Phase>>;

export type PhaseName = keyof typeof phases;

export interface PhaseFunctionsProps {
  readonly platform: PlatformStack;
  readonly config: Config;
  readonly bundles: FunctionBundles;
}

/** The functions of all phases, by the name of their source file. */
export class PhaseFunctions extends Construct {
  readonly byName: ReadonlyMap<PhaseName, PhaseFunction>;

  constructor(scope: Construct, id: string, { platform, config, bundles }: PhaseFunctionsProps) {
    super(scope, id);
    const variables = phaseEnvironment(platform, config);
    const permissions = phasePermissions(platform, config);
    const network = platform.functionSecurityGroup && {
      vpc: platform.network.vpc,
      vpcSubnets: platform.network.nodeSubnets,
      securityGroups: [platform.functionSecurityGroup],
    };
    this.byName = new Map(
      Object.entries<Phase>(phases).map(([name, { description, timeoutSeconds, reads, may }]) => {
        const names: readonly PhaseVariable[] = ['SITE', ...databaseVariables(config), ...reads];
        const phase = new PhaseFunction(this, pascalCase(name), {
          description,
          codeFolder: bundles.folderOf(name),
          timeoutSeconds,
          environment: Object.fromEntries(names.flatMap((name) => given(name, variables[name]))),
          permissions: (['use the database', ...may] as const).flatMap((permission) => permissions[permission]),
          logRetentionDays: config.logRetentionDays,
          ...(network && { network }),
        });
        return [name as PhaseName, phase];
      }),
    );
  }

  of(name: PhaseName): PhaseFunction {
    const phase = this.byName.get(name);
    if (phase === undefined) throw new Error(`There is no function of the phase ${name}.`);
    return phase;
  }
}

/** What this deployment has not is not given. */
function given(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}

/** `check-site` becomes `CheckSite`. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
