import type { DatabaseEngine } from './engine.ts';
import { mariaDbEngine, mysqlEngine } from './mariadb-engine.ts';
import { postgresEngine } from './postgres-engine.ts';

/** By the name that RDS has for the engine. */
const engines: Readonly<Record<string, DatabaseEngine>> = {
  'aurora-postgresql': postgresEngine,
  postgres: postgresEngine,
  'aurora-mysql': mysqlEngine,
  mysql: mysqlEngine,
  mariadb: mariaDbEngine,
};

/** @throws Error for an engine that the rehearsal has no server of */
export function engineOf(name: string): DatabaseEngine {
  const engine = Object.hasOwn(engines, name) ? engines[name] : undefined;
  if (engine) return engine;
  throw new Error(`the rehearsal has ${Object.keys(engines).join(', ')}, and not the database engine ${name}.`);
}

/** RDS names the engines of clusters of shared storage so; the others are of single instances. */
export function isAurora(name: string): boolean {
  return name.startsWith('aurora-');
}
