import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** All that Step Functions tells of an execution; what the model is made from, and what a saved history file has. */
export interface Recording {
  /** Amazon States Language text. */
  readonly definition: string;
  readonly execution: DescribeExecutionOutput;
  /** Oldest first. */
  readonly events: readonly HistoryEvent[];
}

/** Most events that GetExecutionHistory answers at once. */
const LARGEST_PAGE = 1_000;

/** One execution that is looked at again and again: each look reads only the events since the one before. */
export class RecordingReader {
  readonly #client: SFNClient;
  readonly #executionArn: string;
  #definition: string | undefined;
  #events: HistoryEvent[] = [];

  constructor(client: SFNClient, executionArn: string) {
    this.#client = client;
    this.#executionArn = executionArn;
  }

  /** @throws the SDK's errors, for example ExecutionDoesNotExist */
  async read(): Promise<Recording> {
    const executionArn = this.#executionArn;
    const [execution, definition] = await Promise.all([
      // Described before the history is read: an execution that has ended has its whole history.
      this.#client.send(new DescribeExecutionCommand({ executionArn })),
      this.#definition ?? this.#readDefinition(),
    ]);
    this.#definition = definition;
    this.#events = this.#events.concat(await this.#newEvents());
    return { definition, execution, events: this.#events };
  }

  async #readDefinition(): Promise<string> {
    const { definition } = await this.#client.send(
      new DescribeStateMachineForExecutionCommand({ executionArn: this.#executionArn }),
    );
    return definition ?? '';
  }

  /** Newest first until one that is known. The first time, when all are new, in their order and in large pages. */
  async #newEvents(): Promise<HistoryEvent[]> {
    const known = this.#events.at(-1)?.id ?? 0;
    const reverseOrder = known > 0;
    const found: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.#client.send(
        new GetExecutionHistoryCommand({
          executionArn: this.#executionArn,
          maxResults: reverseOrder ? 100 : LARGEST_PAGE,
          reverseOrder,
          ...(nextToken === undefined ? {} : { nextToken }),
        }),
      );
      const events = page.events ?? [];
      found.push(...events.filter(({ id = 0 }) => id > known));
      nextToken = events.some(({ id = 0 }) => id <= known) ? undefined : page.nextToken;
    } while (nextToken !== undefined);
    return reverseOrder ? found.reverse() : found;
  }
}
