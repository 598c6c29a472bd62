import type { RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Trouble } from './masthead.tsx';

/** What a person is asked before something is done. */
export interface Question {
  readonly title: string;
  readonly words: string;
  /** What the text is that they may give; undefined: none. */
  readonly reason: string | undefined;
  readonly reasonNeeded: boolean;
  readonly button: string;
  answer(reason: string): Promise<unknown>;
}

export function QuestionDialog({
  dialog,
  question,
}: {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly question: Question | undefined;
}) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const titleId = useId();
  const reasonId = useId();
  const answer = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    try {
      await question?.answer(String(new FormData(form).get('reason') ?? '').trim());
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
      <form onSubmit={(event) => void answer(event as SubmitEvent)}>
        <h2 id={titleId}>{question?.title}</h2>
        <p>{question?.words}</p>
        {question?.reason === undefined ? null : (
          <>
            <label for={reasonId}>{question.reason}</label>
            <input id={reasonId} name="reason" required={question.reasonNeeded} maxLength={200} autocomplete="off" />
          </>
        )}
        <Trouble words={problem} />
        <div class="row end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {question?.button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
