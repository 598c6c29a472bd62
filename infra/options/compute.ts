import type { Contradiction } from './contradiction.ts';
import { instanceTypes, memoryForNodes } from './instance-types.ts';
import { oneOf, oneOfNumbers, optionalText, timeZone, wholeNumber, yesNo, zeroOr } from './option-kinds.ts';

/** Six fields, as EventBridge Scheduler takes them (minutes, hours, day, month, weekday, year). */
const cron = /^cron\(([0-9A-Z*?,/#L-]+ ){5}[0-9*,/-]+\)$/;
const cronWords = 'a cron expression of EventBridge Scheduler, for example cron(30 7 15 6 ? 2027)';

/** The nodes: their size, their number, how they come and go. */
export const computeOptions = {
  compute: oneOf(['fargate', 'ec2'], {
    doc: 'What the nodes run on: Fargate, or EC2 instances that come and go with the nodes.',
    dev: 'fargate',
    prod: 'fargate',
  }),
  instanceType: oneOf([...instanceTypes.keys()], {
    doc: 'The instances of compute=ec2.',
    dev: 't4g.medium',
    prod: 'm7g.large',
  }),
  onDemandBase: wholeNumber(1, 50, {
    doc: 'How many nodes (with compute=ec2: instances) never run on Spot capacity.',
    dev: 1,
    prod: 2,
  }),
  onDemandWeight: wholeNumber(0, 100, {
    doc: 'The share of on-demand capacity beyond onDemandBase, against spotWeight.',
    dev: 1,
    prod: 1,
  }),
  spotWeight: wholeNumber(0, 100, {
    doc: 'The share of Spot capacity beyond onDemandBase, cheaper and taken back at two minutes notice; 0 uses none.',
    dev: 3,
    prod: 3,
  }),
  architecture: oneOf(['arm64', 'x86_64'], {
    doc: 'The processor of the nodes, and of the computer that builds their image.',
    dev: 'arm64',
    prod: 'arm64',
  }),
  taskCpu: oneOfNumbers([256, 512, 1024, 2048, 4096, 8192, 16384], {
    doc: 'CPU units of one node; 1024 is one virtual processor.',
    dev: 1024,
    prod: 2048,
  }),
  taskMemory: wholeNumber(512, 122_880, {
    doc: 'Memory of one node in MiB.',
    dev: 2048,
    prod: 4096,
  }),
  defaultNodes: wholeNumber(1, 50, {
    doc: 'How many nodes a rollout scales out to when its input names no number.',
    dev: 2,
    prod: 2,
  }),
  maximumNodes: wholeNumber(1, 50, {
    doc: 'How many nodes a rollout may ask for, and automatic scaling may reach.',
    dev: 10,
    prod: 10,
  }),
  cpuTargetPercent: zeroOr(10, 90, {
    doc: 'The average CPU use that automatic scaling aims at; 0 does not look at CPU so.',
    dev: 50,
    prod: 50,
  }),
  requestsPerTarget: zeroOr(10, 100_000, {
    doc: 'The requests per minute and node that automatic scaling aims at; 0 does not count requests.',
    dev: 0,
    prod: 0,
  }),
  scaleOutPercent: zeroOr(20, 95, {
    doc: 'In place of cpuTargetPercent: one node more after three minutes above this CPU use; 0 has no threshold.',
    dev: 0,
    prod: 0,
  }),
  scaleInPercent: zeroOr(5, 80, {
    doc: 'With scaleOutPercent: one node fewer after three minutes below this CPU use; 0 has no threshold.',
    dev: 0,
    prod: 0,
  }),
  examDayStart: optionalText(
    cron,
    cronWords,
    'When at least examDayNodes nodes are to run, for example cron(30 7 15 6 ? 2027); left out: never.',
  ),
  examDayEnd: optionalText(cron, cronWords, 'When automatic scaling may go below examDayNodes again.'),
  examDayNodes: zeroOr(2, 50, {
    doc: 'The least number of nodes from examDayStart to examDayEnd; 0 without an exam day.',
    dev: 0,
    prod: 0,
  }),
  timeZone: timeZone({
    doc: 'The time zone of everything that happens by the clock.',
    dev: 'Etc/UTC',
    prod: 'Etc/UTC',
  }),
  healthGraceSeconds: wholeNumber(30, 1800, {
    doc: 'How long a new node may take before its health checks count.',
    dev: 120,
    prod: 120,
  }),
  installHealthGraceSeconds: wholeNumber(300, 28_800, {
    doc: 'The same while a node installs Moodle or waits for an upgrade of the database, before it serves: longer than either takes.',
    dev: 7200,
    prod: 7200,
  }),
  deregistrationDelaySeconds: wholeNumber(10, 119, {
    doc: 'How long a node that leaves may finish its requests; below the 120 s after which Fargate ends it.',
    dev: 30,
    prod: 90,
  }),
  stopTimeoutSeconds: wholeNumber(30, 120, {
    doc: 'How long a node that was told to stop may finish what it does before it is ended.',
    dev: 120,
    prod: 120,
  }),
  ecsExec: yesNo({
    doc: 'Whether operators may open a shell in a node by ECS Exec; every session is logged.',
    dev: true,
    prod: true,
  }),
} as const;

/** MiB that Fargate allows beside so many CPU units: least, most, step. */
const fargateMemory: Readonly<Record<number, readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

export const computeContradictions: readonly Contradiction[] = [
  ({ compute, taskCpu, taskMemory }) => {
    if (compute !== 'fargate') return undefined;
    const [least, most, step] = fargateMemory[taskCpu] ?? [0, 0, 1];
    return taskMemory < least || taskMemory > most || (taskMemory - least) % step !== 0
      ? `Option taskMemory cannot be ${taskMemory} with taskCpu=${taskCpu}. ` +
          `Allowed: ${least} to ${most} in steps of ${step}.`
      : undefined;
  },
  // Between 512 and 2048 Fargate has no 1536 for a quarter of a processor.
  ({ compute, taskCpu, taskMemory }) =>
    compute === 'fargate' && taskCpu === 256 && taskMemory === 1536
      ? 'Option taskMemory cannot be 1536 with taskCpu=256. Allowed: 512, 1024 or 2048.'
      : undefined,
  ({ compute, instanceType, architecture }) => {
    const size = instanceTypes.get(instanceType);
    return compute === 'ec2' && size && size.architecture !== architecture
      ? `Option instanceType cannot be ${instanceType} with architecture=${architecture}: it is ${size.architecture}. ` +
          `Allowed: ${namesOf(architecture).join(', ')}.`
      : undefined;
  },
  ({ compute, instanceType, taskCpu, taskMemory }) => {
    const size = instanceTypes.get(instanceType);
    return compute === 'ec2' && size && (taskCpu > size.processors * 1024 || taskMemory > memoryForNodes(size))
      ? `Option instanceType cannot be ${instanceType} with taskCpu=${taskCpu} and taskMemory=${taskMemory}. ` +
          `Allowed: a type that holds such a node; this one has ${size.processors * 1024} CPU units and ` +
          `${memoryForNodes(size)} MiB for nodes.`
      : undefined;
  },
  ({ onDemandWeight, spotWeight }) =>
    onDemandWeight + spotWeight === 0
      ? 'Option spotWeight cannot be 0 with onDemandWeight=0: nodes beyond onDemandBase would have no capacity. ' +
        'Allowed: at least one of the two above 0.'
      : undefined,
  ({ scaleOutPercent, scaleInPercent }) =>
    (scaleOutPercent === 0) !== (scaleInPercent === 0) || (scaleOutPercent > 0 && scaleInPercent + 20 > scaleOutPercent)
      ? `Option scaleInPercent cannot be ${scaleInPercent} with scaleOutPercent=${scaleOutPercent}. ` +
        'Allowed: both 0, or scaleInPercent at least 20 below scaleOutPercent, so that a node that came does not go at once.'
      : undefined,
  ({ scaleOutPercent, cpuTargetPercent }) =>
    scaleOutPercent > 0 && cpuTargetPercent > 0
      ? `Option cpuTargetPercent cannot be ${cpuTargetPercent} with scaleOutPercent=${scaleOutPercent}: two rules for one ` +
        'measure pull against each other. Allowed: 0.'
      : undefined,
  ({ examDayStart, examDayEnd, examDayNodes }) =>
    new Set([examDayStart !== undefined, examDayEnd !== undefined, examDayNodes > 0]).size > 1
      ? 'Options examDayStart, examDayEnd and examDayNodes need each other. Give all three, or none.'
      : undefined,
  ({ examDayNodes, maximumNodes }) =>
    examDayNodes > maximumNodes
      ? `Option examDayNodes cannot be ${examDayNodes} with maximumNodes=${maximumNodes}. Allowed: at most maximumNodes.`
      : undefined,
  ({ examDayNodes, cpuTargetPercent, requestsPerTarget, scaleOutPercent }) =>
    examDayNodes > 0 && cpuTargetPercent + requestsPerTarget + scaleOutPercent === 0
      ? `Option examDayNodes cannot be ${examDayNodes} without automatic scaling: nothing would take the nodes away after ` +
        'examDayEnd. Give cpuTargetPercent, requestsPerTarget or scaleOutPercent.'
      : undefined,
  ({ defaultNodes, maximumNodes }) =>
    defaultNodes > maximumNodes
      ? `Option defaultNodes cannot be ${defaultNodes} with maximumNodes=${maximumNodes}. Allowed: at most maximumNodes.`
      : undefined,
  ({ healthGraceSeconds, installHealthGraceSeconds }) =>
    installHealthGraceSeconds < healthGraceSeconds
      ? `Option installHealthGraceSeconds cannot be ${installHealthGraceSeconds} with ` +
        `healthGraceSeconds=${healthGraceSeconds}. Allowed: at least healthGraceSeconds.`
      : undefined,
];

function namesOf(architecture: string): string[] {
  return [...instanceTypes].filter(([, size]) => size.architecture === architecture).map(([name]) => name);
}
