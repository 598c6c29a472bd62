import type { RefObject } from 'preact';
import { useId } from 'preact/hooks';
import { ActionDialog } from './action-dialog.tsx';

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
  const reasonId = useId();
  return (
    <ActionDialog
      dialog={dialog}
      title={question?.title ?? ''}
      button={question?.button ?? ''}
      action={async (data) => question?.answer(String(data.get('reason') ?? '').trim())}
    >
      <p>{question?.words}</p>
      {question?.reason === undefined ? null : (
        <>
          <label for={reasonId}>{question.reason}</label>
          <input id={reasonId} name="reason" required={question.reasonNeeded} maxLength={200} autocomplete="off" />
        </>
      )}
    </ActionDialog>
  );
}
