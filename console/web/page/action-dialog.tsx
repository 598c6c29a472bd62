import type { ComponentChildren, RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Trouble } from './masthead.tsx';

/** Asks before something is done: what a person typed is handed over, and a refusal is shown where they typed it. */
export function ActionDialog({
  dialog,
  title,
  button,
  action,
  children,
}: {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly title: string;
  readonly button: string;
  action(data: FormData): Promise<unknown>;
  readonly children: ComponentChildren;
}) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const titleId = useId();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    try {
      await action(new FormData(form));
      form.reset();
      setProblem(undefined);
      dialog.current?.close();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onClose={() => setProblem(undefined)}>
      <form onSubmit={(event) => void submit(event as SubmitEvent)}>
        <h2 id={titleId}>{title}</h2>
        {children}
        <Trouble words={problem} />
        <div class="row end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
