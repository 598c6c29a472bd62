import type { Config } from '../../config.ts';
import { databaseEngines } from '../../database-engines.ts';

const GiB = 1024 ** 3;
/** What RDS leaves of an instance's memory to the engine, which is what its formulas count with. */
const forEngine = 0.9;

/** GiB of memory of a `large`, by the first letter of the family: compute, general, burstable, memory, extra memory. */
const memoryOfLarge: Readonly<Record<string, number>> = { c: 4, m: 8, t: 8, r: 16, x: 32, z: 16 };
/** By how much a size is larger than `large`. */
const sizes: Readonly<Record<string, number>> = { micro: 1 / 8, small: 1 / 4, medium: 1 / 2, large: 1, xlarge: 2 };

/** GiB of an instance type, for example 16 of `db.r7g.large`. */
export function memoryOf(instanceType: string): number {
  const [, family = '', size = ''] = instanceType.split('.');
  const [, times] = /^(\d+)xlarge$/.exec(size) ?? [];
  const factor = times === undefined ? (sizes[size] ?? 1) : 2 * Number(times);
  return (memoryOfLarge[family.charAt(0)] ?? memoryOfLarge.m ?? 8) * factor;
}

/**
 * How many connections the database allows: the default of `max_connections`, from the parameter groups of each engine.
 * Serverless Aurora counts with the memory of its most capacity, 2 GiB for each unit.
 */
export function mostConnections(
  config: Pick<
    Config,
    'databaseEngine' | 'databaseCapacity' | 'databaseMinCapacity' | 'databaseMaxCapacity' | 'databaseInstanceType'
  >,
): number {
  const cluster = databaseEngines[config.databaseEngine].kind === 'cluster';
  const serverless = cluster && config.databaseCapacity === 'serverless';
  const gibibytes = serverless ? 2 * config.databaseMaxCapacity : memoryOf(config.databaseInstanceType);
  const memory = gibibytes * GiB * forEngine;
  switch (config.databaseEngine) {
    case 'aurora-mysql':
      return Math.floor(Math.max(45 * Math.log2(memory / 805_306_368), 1000 * Math.log2(memory / 8_187_281_408)));
    case 'mysql':
      return Math.floor(memory / 12_582_880);
    case 'mariadb':
      return Math.floor(Math.min(memory / 25_165_760, 12_000));
    default: {
      const most = Math.floor(Math.min(memory / 9_531_392, 5000));
      // A cluster that may shrink that far is never given more.
      return serverless && config.databaseMinCapacity <= 0.5 ? Math.min(most, 2000) : most;
    }
  }
}
