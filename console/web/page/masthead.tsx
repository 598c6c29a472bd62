import { useState } from 'preact/hooks';
import { openHistory, type SentProgress } from './server.ts';

export function Masthead({
  where,
  onOpened,
}: {
  readonly where: string | undefined;
  readonly onOpened: (progress: SentProgress) => void;
}) {
  const [problem, setProblem] = useState<string>();
  const open = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      onOpened(await openHistory(await file.text()));
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    // The same file may be chosen again.
    input.value = '';
  };
  return (
    <header class="masthead">
      <a class="home" href="#/">
        Moodle rollouts
      </a>
      <span class="where">{where ?? 'looking…'}</span>
      <label class="button file">
        Open a saved history…
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => void open(event.currentTarget as HTMLInputElement)}
        />
      </label>
      <Trouble words={problem} />
    </header>
  );
}

/** Why what is shown may be old. The element is always there, so that screen readers notice what comes into it. */
export function Trouble({ words }: { readonly words: string | undefined }) {
  return (
    <div class="trouble" role="alert" hidden={words === undefined}>
      {words}
    </div>
  );
}
