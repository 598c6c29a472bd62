import { useRef, useState } from 'preact/hooks';
import { useStream } from './app.tsx';
import { Trouble } from './masthead.tsx';
import { useTitle } from './overview-page.tsx';
import { type Question, QuestionDialog } from './question-dialog.tsx';
import { RolloutView, rolloutTitle } from './rollout-view.tsx';
import { act, type SentProgress, savedHistory } from './server.ts';
import { outcomeWords } from './words.ts';

/** One rollout, live, and what can be done about it. */
export function ExecutionPage({ executionArn }: { readonly executionArn: string }) {
  const [paused, setPaused] = useState(false);
  const { data: progress, trouble } = useStream<SentProgress>(
    `/api/progress?execution=${encodeURIComponent(executionArn)}`,
    paused,
  );
  useTitle(progress ? `${outcomeWords[progress.outcome]}: ${rolloutTitle(progress)}` : 'Moodle rollouts');
  if (!progress) {
    return (
      <>
        <Trouble words={trouble} />
        <p class="empty">{trouble === undefined ? 'Reading the history…' : ''}</p>
      </>
    );
  }
  return (
    <>
      <Trouble words={trouble} />
      <RolloutView progress={progress} view={paused ? 'paused' : 'live'}>
        <Actions progress={progress} paused={paused} onPause={() => setPaused(!paused)} />
      </RolloutView>
    </>
  );
}

function Actions({
  progress,
  paused,
  onPause,
}: {
  readonly progress: SentProgress;
  readonly paused: boolean;
  readonly onPause: () => void;
}) {
  const [question, setQuestion] = useState<Question>();
  const dialog = useRef<HTMLDialogElement>(null);
  const execution = progress.executionArn;
  const ask = (asked: Question) => {
    setQuestion(asked);
    dialog.current?.showModal();
  };
  const follow = (answer: { readonly execution?: string }) => {
    if (answer.execution && answer.execution !== execution) {
      location.hash = `#/execution/${encodeURIComponent(answer.execution)}`;
    }
  };
  const isOpen = progress.status === 'running';
  return (
    <fieldset class="actions">
      <legend>What can be done</legend>
      {isOpen ? (
        <button type="button" aria-pressed={paused} onClick={onPause}>
          {paused ? 'Go on showing' : 'Pause'}
        </button>
      ) : null}
      {progress.outcome === 'asking' ? (
        <>
          <button type="button" class="good" onClick={() => ask(approval(execution))}>
            Approve…
          </button>
          <button type="button" onClick={() => ask(refusal(execution))}>
            Refuse…
          </button>
        </>
      ) : null}
      {isOpen ? (
        <button type="button" class="bad" onClick={() => ask(stopping(execution))}>
          Stop…
        </button>
      ) : null}
      {progress.retry ? (
        <button type="button" onClick={() => ask(retrying(progress, follow))}>
          Retry…
        </button>
      ) : null}
      <button type="button" onClick={() => void download(progress)}>
        Save the history
      </button>
      <QuestionDialog dialog={dialog} question={question} />
    </fieldset>
  );
}

const approval = (execution: string): Question => ({
  title: 'Approve this rollout?',
  words: 'It goes on at once, and changes the site as its plan says.',
  reason: 'A comment, if you like',
  reasonNeeded: false,
  button: 'Approve',
  answer: (reason) => act('approve', { execution, reason }),
});

const refusal = (execution: string): Question => ({
  title: 'Refuse this rollout?',
  words:
    'It ends, and the site stays as it is. The image and the snapshot that it made stay until a later update removes them.',
  reason: 'Why',
  reasonNeeded: true,
  button: 'Refuse',
  answer: (reason) => act('refuse', { execution, reason }),
});

const stopping = (execution: string): Question => ({
  title: 'Stop this rollout?',
  words:
    'Step Functions stops it where it is, and nothing is put back: the site may stand between two phases. The next ' +
    'rollout that is started finishes what was begun, or goes back.',
  reason: 'Why',
  reasonNeeded: true,
  button: 'Stop it',
  answer: (reason) => act('stop', { execution, reason }),
});

const retrying = (progress: SentProgress, follow: (answer: { execution?: string }) => void): Question => ({
  title: 'Try this rollout again?',
  words: progress.retry?.why ?? '',
  reason: undefined,
  reasonNeeded: false,
  button: 'Retry',
  answer: async () => follow(await act<{ execution: string }>('retry', { execution: progress.executionArn })),
});

async function download({ executionArn, execution }: SentProgress): Promise<void> {
  const address = URL.createObjectURL(new Blob([await savedHistory(executionArn)], { type: 'application/json' }));
  const link = Object.assign(document.createElement('a'), { href: address, download: `${execution}.history.json` });
  link.click();
  URL.revokeObjectURL(address);
}
