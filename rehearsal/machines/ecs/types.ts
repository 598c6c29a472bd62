/** The ECS API's own shapes, as far as a rehearsal has them. Moments are milliseconds since 1970. */

export interface KeyValue {
  readonly name: string;
  readonly value: string;
}

export interface HealthCommand {
  /** `['CMD', program, …]` or `['CMD-SHELL', line]`. */
  readonly command: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly startPeriod?: number;
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: readonly KeyValue[];
  readonly secrets?: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly portMappings?: readonly { readonly containerPort: number; readonly protocol?: string }[];
  readonly mountPoints?: readonly {
    readonly sourceVolume: string;
    readonly containerPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly healthCheck?: HealthCommand;
  /** Seconds. */
  readonly stopTimeout?: number;
  readonly logConfiguration?: { readonly logDriver: string; readonly options?: Readonly<Record<string, string>> };
}

export interface Volume {
  readonly name: string;
  readonly efsVolumeConfiguration?: {
    readonly fileSystemId: string;
    readonly rootDirectory?: string;
    readonly transitEncryption?: string;
    readonly authorizationConfig?: { readonly accessPointId?: string; readonly iam?: string };
  };
}

export interface TaskDefinition {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: 'ACTIVE';
  readonly containerDefinitions: readonly ContainerDefinition[];
  readonly volumes: readonly Volume[];
  readonly taskRoleArn?: string;
  readonly executionRoleArn?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly networkMode?: string;
  readonly requiresCompatibilities?: readonly string[];
  readonly registeredAt: number;
}

export interface ContainerOverride {
  readonly name: string;
  readonly command?: readonly string[];
  readonly environment?: readonly KeyValue[];
  readonly cpu?: number;
  readonly memory?: number;
}

export interface TaskOverride {
  readonly containerOverrides?: readonly ContainerOverride[];
}

export interface NetworkConfiguration {
  readonly awsvpcConfiguration?: {
    readonly subnets?: readonly string[];
    readonly securityGroups?: readonly string[];
    readonly assignPublicIp?: string;
  };
}

export interface DeploymentConfiguration {
  readonly maximumPercent: number;
  readonly minimumHealthyPercent: number;
  readonly deploymentCircuitBreaker?: { readonly enable: boolean; readonly rollback: boolean };
}

export interface Deployment {
  readonly id: string;
  status: 'PRIMARY' | 'ACTIVE';
  readonly taskDefinition: string;
  readonly createdAt: number;
  updatedAt: number;
  rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  rolloutStateReason: string;
  /** Tasks in a row that did not become healthy. */
  failedTasks: number;
}

export interface ServiceEvent {
  readonly id: string;
  readonly createdAt: number;
  readonly message: string;
}

/** What is remembered of a service from one rehearsal on a folder to the next. */
export interface ServiceRecord {
  readonly serviceName: string;
  readonly serviceArn: string;
  readonly clusterArn: string;
  readonly createdAt: number;
  desiredCount: number;
  taskDefinition: string;
  deploymentConfiguration: DeploymentConfiguration;
  healthCheckGracePeriodSeconds: number;
  enableExecuteCommand: boolean;
  networkConfiguration: NetworkConfiguration;
  readonly launchType: string;
  /** In place of a launch type where there is any. */
  readonly capacityProviderStrategy: readonly {
    readonly capacityProvider: string;
    readonly base: number;
    readonly weight: number;
  }[];
  readonly platformVersion: string;
  readonly loadBalancers: readonly {
    readonly targetGroupArn: string;
    readonly containerName: string;
    readonly containerPort: number;
  }[];
  /** The first is PRIMARY. */
  deployments: Deployment[];
  /** What a circuit breaker with rollback goes back to. */
  completedTaskDefinition?: string;
  /** The newest first. */
  events: ServiceEvent[];
}

export type LastStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'STOPPED';

export type StopCode = 'TaskFailedToStart' | 'EssentialContainerExited' | 'UserInitiated' | 'ServiceSchedulerInitiated';

export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN';
