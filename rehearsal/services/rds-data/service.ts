import type { Operation, Permission, Service } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { secretResource } from '../secretsmanager.ts';
import { beginTransaction, endTransaction, sessionOfTransaction, type Target, withSession } from './connections.ts';
import type { SqlParameter } from './fields.ts';
import type { Session, StatementOptions } from './session.ts';

/** The RDS Data API, on a real PostgreSQL or MariaDB. */
export function rdsDataService(world: World): Service {
  return {
    signingName: 'rds-data',
    protocol: 'rest-json',
    paths: {
      '/Execute': 'ExecuteStatement',
      '/BatchExecute': 'BatchExecuteStatement',
      '/BeginTransaction': 'BeginTransaction',
      '/CommitTransaction': 'CommitTransaction',
      '/RollbackTransaction': 'RollbackTransaction',
    },
    operations: {
      ExecuteStatement: executeStatement(world),
      BatchExecuteStatement: batchExecuteStatement(world),
      BeginTransaction: {
        members: ['resourceArn', 'secretArn', 'database'],
        required: ['resourceArn', 'secretArn'],
        permissions: (input: Target) => permissions(world, 'BeginTransaction', input),
        run: async (input: Target) => ({ transactionId: await beginTransaction(world, input) }),
      },
      CommitTransaction: end(world, 'CommitTransaction', 'COMMIT', 'Transaction Committed'),
      RollbackTransaction: end(world, 'RollbackTransaction', 'ROLLBACK', 'Rollback Complete'),
    },
  };
}

/** The Data API reads the secret in the caller's name. */
function permissions(world: World, action: string, { resourceArn, secretArn }: Target): Permission[] {
  return [
    { action: `rds-data:${action}`, resource: resourceArn },
    { action: 'secretsmanager:GetSecretValue', resource: secretResource(world, secretArn) },
  ];
}

interface ExecuteInput extends Target, StatementOptions {
  readonly sql: string;
  readonly parameters?: readonly SqlParameter[];
  readonly transactionId?: string;
}

const executeStatement = (world: World): Operation<ExecuteInput> => ({
  members: [
    'resourceArn',
    'secretArn',
    'sql',
    'database',
    'parameters',
    'transactionId',
    'includeResultMetadata',
    'continueAfterTimeout',
    'formatRecordsAs',
  ],
  required: ['resourceArn', 'secretArn', 'sql'],
  permissions: (input) => permissions(world, 'ExecuteStatement', input),
  run: (input) => inTransaction(world, input, (session) => session.statement(input.sql, input.parameters, input)),
});

interface BatchInput extends Target {
  readonly sql: string;
  readonly parameterSets?: readonly (readonly SqlParameter[])[];
  readonly transactionId?: string;
}

const batchExecuteStatement = (world: World): Operation<BatchInput> => ({
  members: ['resourceArn', 'secretArn', 'sql', 'database', 'parameterSets', 'transactionId'],
  required: ['resourceArn', 'secretArn', 'sql'],
  permissions: (input) => permissions(world, 'BatchExecuteStatement', input),
  run: (input) =>
    inTransaction(world, input, async (session) => {
      const sets = input.parameterSets ?? [[]];
      const own = input.transactionId === undefined;
      if (own) await session.transaction('BEGIN');
      for (const parameters of sets) await session.statement(input.sql, parameters);
      if (own) await session.transaction('COMMIT');
      return { updateResults: sets.map(() => ({ generatedFields: [] })) };
    }),
});

async function inTransaction(
  world: World,
  input: Target & { readonly transactionId?: string },
  work: (session: Session) => Promise<object>,
): Promise<object> {
  if (input.transactionId !== undefined) return work(sessionOfTransaction(world, input.transactionId));
  return withSession(world, input, work);
}

const end = (
  world: World,
  action: string,
  how: 'COMMIT' | 'ROLLBACK',
  transactionStatus: string,
): Operation<Target & { transactionId: string }> => ({
  members: ['resourceArn', 'secretArn', 'transactionId'],
  required: ['resourceArn', 'secretArn', 'transactionId'],
  permissions: (input) => permissions(world, action, input),
  async run({ transactionId }) {
    await endTransaction(world, transactionId, how);
    return { transactionStatus };
  },
});
