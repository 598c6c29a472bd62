import type { Contradiction } from './contradiction.ts';
import { oneOf, oneOfNumbers, wholeNumber } from './option-kinds.ts';

/** The nodes: their size, their number, how they come and go. */
export const computeOptions = {
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
  cpuTargetPercent: wholeNumber(10, 90, {
    doc: 'The average CPU use that automatic scaling aims at.',
    dev: 50,
    prod: 50,
  }),
  healthGraceSeconds: wholeNumber(30, 1800, {
    doc: 'How long a new node may take before its health checks count.',
    dev: 120,
    prod: 120,
  }),
  installHealthGraceSeconds: wholeNumber(300, 7200, {
    doc: 'The same while a node installs Moodle, which takes minutes before it serves.',
    dev: 1800,
    prod: 1800,
  }),
  deregistrationDelaySeconds: wholeNumber(10, 119, {
    doc: 'How long a node that leaves may finish its requests; below the 120 s after which Fargate ends it.',
    dev: 30,
    prod: 90,
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
  ({ taskCpu, taskMemory }) => {
    const [least, most, step] = fargateMemory[taskCpu] ?? [0, 0, 1];
    return taskMemory < least || taskMemory > most || (taskMemory - least) % step !== 0
      ? `Option taskMemory cannot be ${taskMemory} with taskCpu=${taskCpu}. ` +
          `Allowed: ${least} to ${most} in steps of ${step}.`
      : undefined;
  },
  // Between 512 and 2048 Fargate has no 1536 for a quarter of a processor.
  ({ taskCpu, taskMemory }) =>
    taskCpu === 256 && taskMemory === 1536
      ? 'Option taskMemory cannot be 1536 with taskCpu=256. Allowed: 512, 1024 or 2048.'
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
