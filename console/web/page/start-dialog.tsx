import type { RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import { fieldsOf, inputFrom } from '../input-form.ts';
import type { RolloutKind } from '../operations.ts';
import { Trouble } from './masthead.tsx';
import { SchemaField } from './schema-field.tsx';
import { act } from './server.ts';

/** A form made from the schema of the rollout's input; what is left empty is left out, and gets its default. */
export function StartDialog({
  dialog,
  site,
  kind,
}: {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly site: string;
  readonly kind: RolloutKind;
}) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const titleId = useId();
  const fields = fieldsOf(kind.inputSchema);
  const start = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const input = inputFrom(fields, new FormData(event.currentTarget as HTMLFormElement));
      const { execution } = await act<{ execution: string }>('start', {
        stateMachineArn: kind.stateMachineArn,
        input: JSON.stringify(input),
      });
      dialog.current?.close();
      location.hash = `#/execution/${encodeURIComponent(execution)}`;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onClose={() => setProblem(undefined)}>
      <form onSubmit={(event) => void start(event as SubmitEvent)}>
        <h2 id={titleId}>
          Start {kind.rollout} on {site}
        </h2>
        <p>What is left empty gets its default.</p>
        <div class="fields">
          {fields.map((field) => (
            <SchemaField key={field.name} field={field} />
          ))}
        </div>
        <Trouble words={problem} />
        <div class="row end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" class="primary" disabled={busy}>
            Start {kind.rollout}
          </button>
        </div>
      </form>
    </dialog>
  );
}
