import * as ec2 from 'aws-cdk-lib/aws-ec2';
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

const services = ['CLUSTER_ARN', 'WEB_SERVICE_NAME', 'CRON_SERVICE_NAME'] as const;
const oneOffTasks = ['CONTAINER_NAME', 'TASK_DEFINITION_FAMILY', 'TASK_SUBNETS', 'TASK_SECURITY_GROUPS'] as const;
const applicationStore = [
  'APPLICATION_STORE_ID',
  'APPLICATION_STORE_ENDPOINT',
  'APPLICATION_STORE_SECRET_ARN',
] as const;
const sessionStore = ['SESSION_STORE_TYPE', 'SESSION_STORE_ID', 'SESSION_STORE_ENDPOINT'] as const;

/** Each `lambdas/<name>.ts` with what it is given and what it may do: no more than its code uses. */
const phases = {
  'check-site': {
    description: 'Holds the site and finds out what is there',
    timeoutSeconds: 60,
    reads: [...services, ...sessionStore, ...applicationStore, 'PARAMETER_PREFIX', 'DEFAULT_NODES', 'MAXIMUM_NODES'],
    may: ['read settings', 'read capacity', 'read stores'],
  },
  'build-image': {
    description: 'Has the image built, unless its tag is there',
    timeoutSeconds: 60,
    reads: ['REPOSITORY_NAME', 'REPOSITORY_URI', 'IMAGE_TAG', 'BUILD_PROJECT_NAME'],
    may: ['build images'],
  },
  'start-one-node': {
    description: 'Starts one node, and holds the capacity at one',
    timeoutSeconds: 60,
    reads: [
      ...services,
      'TASK_DEFINITION_FAMILY',
      'CRON_TASK_DEFINITION_FAMILY',
      'CONTAINER_NAME',
      'REPOSITORY_URI',
      'PARAMETER_PREFIX',
      'INSTALL_HEALTH_GRACE_SECONDS',
    ],
    may: ['read settings', 'change settings', 'read capacity', 'change capacity', 'replace nodes', 'read tasks'],
  },
  'wait-for-install': {
    description: 'Measures how far the install is, until it is finished',
    timeoutSeconds: 60,
    reads: [...services],
    may: ['read capacity', 'read tasks'],
  },
  'fix-lastip': {
    description: "Gives the pending administrator's row the address that Moodle compares",
    timeoutSeconds: 60,
    reads: [...services, ...oneOffTasks],
    may: ['read capacity', 'run one-off tasks', 'read tasks'],
  },
  'configure-cache-stores': {
    description: 'Writes the wanted cache stores, and has the nodes apply them',
    timeoutSeconds: 60,
    reads: [...services, ...oneOffTasks, ...applicationStore],
    may: ['read capacity', 'change capacity', 'replace nodes', 'run one-off tasks', 'read tasks'],
  },
  'enable-session-caching': {
    description: 'Moves the sessions to their store and logs nobody out',
    timeoutSeconds: 60,
    reads: [...services, ...oneOffTasks, ...sessionStore, 'PARAMETER_PREFIX', 'TARGET_GROUP_ARN'],
    may: [
      'read settings',
      'change settings',
      'read capacity',
      'change capacity',
      'replace nodes',
      'run one-off tasks',
      'read tasks',
      'read target health',
      'change stickiness',
    ],
  },
  'scale-out': {
    description: 'Releases capacity and automatic scaling to the wanted range',
    timeoutSeconds: 60,
    reads: [...services, 'PARAMETER_PREFIX', 'TARGET_GROUP_ARN', 'MAXIMUM_NODES', 'NORMAL_HEALTH_GRACE_SECONDS'],
    may: ['read settings', 'change settings', 'read capacity', 'change capacity', 'read tasks', 'read target health'],
  },
  'verify-site': {
    description: 'Logs in across every node, and reads back what the rollout set',
    timeoutSeconds: 120,
    reads: [...services, 'SITE_URL', 'ADMIN_USER', 'ADMIN_SECRET_ARN', 'PARAMETER_PREFIX', 'TARGET_GROUP_ARN'],
    may: ['read settings', 'read capacity', 'read tasks', 'read target health', 'log in as administrator'],
  },
  'release-site': {
    description: 'Ends the hold of a rollout that succeeded',
    timeoutSeconds: 60,
    reads: [],
    may: [],
  },
  'put-back': {
    description: 'Puts back what a failed rollout changed, and ends its hold',
    timeoutSeconds: 60,
    reads: [
      ...services,
      ...oneOffTasks,
      ...sessionStore,
      'PARAMETER_PREFIX',
      'TARGET_GROUP_ARN',
      'NORMAL_HEALTH_GRACE_SECONDS',
    ],
    may: [
      'read settings',
      'change settings',
      'read capacity',
      'change capacity',
      'replace nodes',
      'run one-off tasks',
      'read tasks',
      'read target health',
      'change stickiness',
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
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [platform.functionSecurityGroup],
    };
    this.byName = new Map(
      Object.entries<Phase>(phases).map(([name, { description, timeoutSeconds, reads, may }]) => {
        const names: readonly PhaseVariable[] = ['SITE', ...databaseVariables(config), ...reads];
        const phase = new PhaseFunction(this, pascalCase(name), {
          description,
          codeFolder: bundles.folderOf(name),
          timeoutSeconds,
          environment: Object.fromEntries(names.map((variable) => [variable, variables[variable]])),
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

/** `check-site` becomes `CheckSite`. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
