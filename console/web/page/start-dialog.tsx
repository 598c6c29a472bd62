import type { RefObject } from 'preact';
import { fieldsOf, inputFrom } from '../input-form.ts';
import type { RolloutKind } from '../operations.ts';
import { ActionDialog } from './action-dialog.tsx';
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
  const fields = fieldsOf(kind.inputSchema);
  const start = async (data: FormData) => {
    const { execution } = await act<{ execution: string }>('start', {
      stateMachineArn: kind.stateMachineArn,
      input: JSON.stringify(inputFrom(fields, data)),
    });
    location.hash = `#/execution/${encodeURIComponent(execution)}`;
  };
  return (
    <ActionDialog
      dialog={dialog}
      title={`Start ${kind.rollout} on ${site}`}
      button={`Start ${kind.rollout}`}
      action={start}
    >
      <p>What is left empty gets its default.</p>
      <div class="fields">
        {fields.map((field) => (
          <SchemaField key={field.name} field={field} />
        ))}
      </div>
    </ActionDialog>
  );
}
