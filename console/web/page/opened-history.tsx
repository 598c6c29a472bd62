import { useTitle } from './overview-page.tsx';
import { RolloutView, rolloutTitle } from './rollout-view.tsx';
import type { SentProgress } from './server.ts';

/** A rollout out of a file: looked at, never acted on. */
export function OpenedHistory({ progress }: { readonly progress: SentProgress }) {
  useTitle(`Saved: ${rolloutTitle(progress)}`);
  return (
    <>
      <p class="from-file">
        From a saved history; it may be of another account, and nothing can be done about it here.
      </p>
      <RolloutView progress={progress} view="saved" />
    </>
  );
}
