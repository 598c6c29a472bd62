/** What one EC2 instance has for nodes (AWS's instance type specifications). */
export interface InstanceSize {
  readonly architecture: 'arm64' | 'x86_64';
  readonly processors: number;
  /** MiB. */
  readonly memory: number;
}

const sizes = { medium: 1, large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16 } as const;
type Size = keyof typeof sizes;

/** GiB per processor: general purpose 4, compute optimised 2, memory optimised 8. */
function family(
  name: string,
  architecture: InstanceSize['architecture'],
  gibPerProcessor: number,
  offered: readonly Size[] = ['large', 'xlarge', '2xlarge', '4xlarge'],
): [string, InstanceSize][] {
  return offered.map((size) => [
    `${name}.${size}`,
    { architecture, processors: sizes[size], memory: sizes[size] * gibPerProcessor * 1024 },
  ]);
}

const graviton = ['medium', 'large', 'xlarge', '2xlarge', '4xlarge'] as const;

/** The instance types that a site may choose from, by name. Burstable ones have two processors at every size here. */
export const instanceTypes: ReadonlyMap<string, InstanceSize> = new Map<string, InstanceSize>([
  ['t4g.medium', { architecture: 'arm64', processors: 2, memory: 4096 }],
  ['t4g.large', { architecture: 'arm64', processors: 2, memory: 8192 }],
  ...family('m7g', 'arm64', 4, graviton),
  ...family('c7g', 'arm64', 2, graviton),
  ...family('r7g', 'arm64', 8, graviton),
  ['t3.medium', { architecture: 'x86_64', processors: 2, memory: 4096 }],
  ['t3.large', { architecture: 'x86_64', processors: 2, memory: 8192 }],
  ...family('m7i', 'x86_64', 4),
  ...family('c7i', 'x86_64', 2),
  ...family('r7i', 'x86_64', 8),
]);

/**
 * MiB of an instance that nodes can have: the system, the ECS agent and Docker take the rest. The agent registers
 * somewhat less than the type's memory, because the kernel keeps some for itself.
 */
export function memoryForNodes({ memory }: InstanceSize): number {
  return memory - Math.max(512, memory / 16);
}
