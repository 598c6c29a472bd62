import type { Config } from '../config.ts';

/** How much a site is used in a month, where the options do not say it. The estimate names these beside its sum. */
export interface Usage {
  /** Averages over the month, of what automatic scaling chooses between its bounds. */
  readonly nodes: number;
  readonly databaseCapacityUnits: number;
  readonly databaseStorageGB: number;
  readonly databaseMillionRequests: number;
  readonly filesGB: number;
  readonly filesReadGB: number;
  readonly filesWrittenGB: number;
  readonly trafficOutGB: number;
  readonly natGB: number;
  readonly logsGB: number;
}

export const hoursOfMonth = 730;

/** Of a site whose pages are asked for in the day on working days, and hardly at night. */
export function usualUsage(config: Config): Usage {
  const nodes = config.defaultNodes + 0.15 * (config.maximumNodes - config.defaultNodes);
  const { databaseMinCapacity: least, databaseMaxCapacity: most } = config;
  return {
    nodes,
    databaseCapacityUnits: Math.max(0.5, least) + 0.1 * (most - least),
    databaseStorageGB: 5 + 5 * nodes,
    databaseMillionRequests: 20 * nodes,
    filesGB: 40 * nodes,
    filesReadGB: 20 * nodes,
    filesWrittenGB: 4 * nodes,
    trafficOutGB: 75 * nodes,
    natGB: 15 * nodes,
    logsGB: 3 * nodes,
  };
}
