/** An identity-based policy document as a template has it. */
export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: Statement | readonly Statement[];
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | boolean | readonly string[]>>>>;
}

const known = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

export function listOf<Value>(value: Value | readonly Value[] | undefined): readonly Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as Value];
}

export function statementsOf(document: PolicyDocument): readonly Statement[] {
  return listOf(document.Statement);
}

/**
 * Refuses what the evaluation does not understand, when the policy is made rather than when it is first asked.
 *
 * @param operators names of condition operators that the evaluation knows
 * @throws Error that names the element of the statement
 */
export function checkDocument(document: PolicyDocument, isKnownOperator: (operator: string) => boolean): void {
  for (const statement of statementsOf(document)) {
    const place = statement.Sid ? `statement ${statement.Sid}` : `the statement for ${String(statement.Action)}`;
    for (const element of Object.keys(statement)) {
      if (!known.includes(element)) throw new Error(`${place}: the rehearsal's IAM does not know “${element}”.`);
    }
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw new Error(`${place}: Effect is missing.`);
    for (const operator of Object.keys(statement.Condition ?? {})) {
      if (isKnownOperator(operator)) continue;
      throw new Error(`${place}: the rehearsal's IAM does not know the condition operator “${operator}”.`);
    }
    for (const resource of [...listOf(statement.Resource), ...listOf(statement.NotResource)]) {
      if (typeof resource !== 'string') throw new Error(`${place}: a resource is no string.`);
      if (resource.includes('${')) throw new Error(`${place}: the rehearsal's IAM does not know policy variables.`);
    }
  }
}
