import type { Permission } from '../endpoint/service.ts';
import { conditionsHold } from './conditions.ts';
import { listOf, type PolicyDocument, type Statement, statementsOf } from './policy.ts';
import { matchesWildcard } from './wildcard.ts';

export type Decision = 'allowed' | 'explicitly denied' | 'not allowed';

/** What identity-based policies together say of one permission: an explicit deny wins over every allow. */
export function evaluate(policies: readonly PolicyDocument[], permission: Permission): Decision {
  const applying = policies.flatMap(statementsOf).filter((statement) => applies(statement, permission));
  if (applying.some((statement) => statement.Effect === 'Deny')) return 'explicitly denied';
  return applying.some((statement) => statement.Effect === 'Allow') ? 'allowed' : 'not allowed';
}

function applies(statement: Statement, { action, resource, conditions = {} }: Permission): boolean {
  return (
    covers(statement.Action, statement.NotAction, (pattern) => matchesWildcard(pattern, action, true)) &&
    covers(statement.Resource, statement.NotResource, (pattern) => matchesWildcard(pattern, resource)) &&
    conditionsHold(statement, conditions)
  );
}

function covers(
  wanted: string | readonly string[] | undefined,
  unwanted: string | readonly string[] | undefined,
  matches: (pattern: string) => boolean,
): boolean {
  return unwanted === undefined ? listOf(wanted).some(matches) : !listOf(unwanted).some(matches);
}
