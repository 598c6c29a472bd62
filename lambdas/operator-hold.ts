import { SFNClient } from '@aws-sdk/client-sfn';
import { Ajv } from 'ajv';
import { InputInvalid } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { type Rollout, readHold, releaseOperatorHold, takeOperatorHold } from './shared/hold.ts';
import schema from './shared/hold-input.schema.json' with { type: 'json' };
import { createLifecycleSchema } from './shared/lifecycle-schema.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { settingsFrom } from './shared/settings.ts';

export interface OperatorHoldClients {
  readonly database: MoodleDatabase;
  readonly executions: SFNClient;
}

export interface OperatorHold {
  readonly site: string;
  readonly operator?: string;
  readonly reason?: string;
  /** ISO 8601. */
  readonly since?: string;
  /** The rollout that has, or gets back, the site. */
  readonly rollout?: string;
}

type HoldInput =
  | { readonly action: 'hold'; readonly operator: string; readonly reason: string }
  | { readonly action: 'release'; readonly operator: string; readonly reason?: string };

const valid = new Ajv({ allErrors: true }).compile<HoldInput>(schema);

/**
 * Takes the site for a person, or ends a person's hold. Every rollout asks for the same row, so that a held site refuses
 * them; and as this is an execution of its own, its history says who did it, when and why.
 *
 * @throws InputInvalid
 * @throws SiteHeld when a running rollout, or a person, holds the site already
 */
export async function operatorHold(
  { database, executions }: OperatorHoldClients,
  { site, execution, input }: Rollout & { readonly input: unknown },
): Promise<OperatorHold> {
  if (!valid(input)) {
    const problems = (valid.errors ?? []).filter(({ keyword }) => keyword !== 'if');
    const words = problems.map(({ instancePath, message }) => `${instancePath.slice(1) || 'the input'} ${message}`);
    throw new InputInvalid(
      `The execution’s input is not valid: ${words.join('; ')}. Nothing was changed. Start it for example with ` +
        '{"action": "hold", "operator": "you", "reason": "exam week"} or {"action": "release", "operator": "you"}.',
    );
  }
  await createLifecycleSchema(database);
  if (input.action === 'release') return release(database, site);
  const hold = await takeOperatorHold(database, executions, { site, execution }, input.operator, input.reason);
  return {
    site: `held by ${input.operator}: no rollout begins until it is released`,
    operator: input.operator,
    reason: hold.reason,
    since: new Date(hold.since * 1000).toISOString(),
    ...(hold.beneath === undefined ? {} : { rollout: hold.beneath }),
  };
}

async function release(database: MoodleDatabase, site: string): Promise<OperatorHold> {
  const ended = await releaseOperatorHold(database, site);
  if (ended === undefined) {
    const rollout = (await readHold(database, site))?.execution;
    return {
      site: 'no operator held it, so there was nothing to release',
      ...(rollout === undefined ? {} : { rollout }),
    };
  }
  const { operator = '', reason, since, beneath } = ended;
  return {
    site: beneath === undefined ? 'released' : 'released; the next rollout takes it over from the unfinished one',
    operator,
    reason,
    since: new Date(since * 1000).toISOString(),
    ...(beneath === undefined ? {} : { rollout: beneath }),
  };
}

export const handler = makeHandler(
  'Hold or release the site',
  (): OperatorHoldClients => ({ database: openDatabase(settingsFrom()), executions: new SFNClient({}) }),
  operatorHold,
);
