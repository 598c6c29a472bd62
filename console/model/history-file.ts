import type { DescribeExecutionOutput, HistoryEvent } from '@aws-sdk/client-sfn';
import type { Recording } from '../api/recording.ts';
import { without } from './approval.ts';
import type { Definition } from './definition.ts';
import { readPhasePlan } from './phase-plan.ts';
import { readHistory } from './visits.ts';

/** A file that is no saved history. The message says what is missing. */
export class NotAHistory extends Error {
  override readonly name = 'NotAHistory';
}

/** Members that are moments; in JSON they are ISO 8601. */
const moments = new Set(['timestamp', 'startDate', 'stopDate', 'redriveDate']);

/**
 * The text of a saved history, `{"definition", "execution", "events"}`, as Step Functions answers them; without the
 * tokens that would let its reader decide in another's place.
 */
export function formatHistory({ definition, execution, events }: Recording): string {
  const parsed = JSON.parse(definition) as Definition;
  const { tokens } = readHistory(events, readPhasePlan(parsed), 1);
  const { $metadata: _, ...described } = execution as DescribeExecutionOutput & { $metadata?: unknown };
  return `${JSON.stringify(without({ definition: parsed, execution: described, events }, tokens), undefined, 1)}\n`;
}

/** @throws NotAHistory */
export function parseHistory(text: string): Recording {
  const { definition, execution, events } = revived(text);
  if (typeof definition !== 'string' && (typeof definition !== 'object' || definition === null)) {
    throw new NotAHistory('It has no member “definition”, the state machine in the Amazon States Language.');
  }
  if (typeof execution !== 'object' || execution === null) {
    throw new NotAHistory('It has no member “execution”, the answer of DescribeExecution.');
  }
  if (!Array.isArray(events)) throw new NotAHistory('It has no member “events”, the answer of GetExecutionHistory.');
  const asText = typeof definition === 'string' ? definition : JSON.stringify(definition);
  const { StartAt, States } = JSON.parse(asText) as Partial<Definition>;
  if (typeof StartAt !== 'string' || typeof States !== 'object') {
    throw new NotAHistory('Its member “definition” has no StartAt and States.');
  }
  return { definition: asText, execution: execution as DescribeExecutionOutput, events: events as HistoryEvent[] };
}

function revived(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text, (name, value) =>
      moments.has(name) && (typeof value === 'string' || typeof value === 'number') ? momentOf(value) : value,
    );
    if (typeof parsed === 'object' && parsed !== null) return parsed as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new NotAHistory(`It is not JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
  throw new NotAHistory('It is not a JSON object.');
}

/** ISO 8601; or seconds since 1970, as the AWS CLI 1 and the API itself write them. */
function momentOf(value: string | number): Date {
  return new Date(typeof value === 'number' ? value * 1000 : value);
}
