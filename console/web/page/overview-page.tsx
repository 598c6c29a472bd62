import { useEffect, useRef } from 'preact/hooks';
import type { RolloutKind, RolloutRun, SiteRollouts } from '../operations.ts';
import type { Overview } from './server.ts';
import { StartDialog } from './start-dialog.tsx';
import { useNow } from './use-now.ts';
import { dateAndTime, elapsed, runStatuses } from './words.ts';

/** Every site with its rollouts, newest runs first. */
export function OverviewPage({ overview }: { readonly overview: Overview | undefined }) {
  useTitle('Moodle rollouts');
  if (!overview) return <p class="empty">Looking for sites…</p>;
  if (overview.sites.length === 0) {
    return (
      <p class="empty">
        There is no site at {overview.where}. Deploy one, name another profile or region, or rehearse one:{' '}
        <code>npx lifecycle rehearse</code>
      </p>
    );
  }
  return (
    <>
      <h1>Sites</h1>
      {overview.sites.map((site) => (
        <SiteSection key={site.site} site={site} />
      ))}
    </>
  );
}

function SiteSection({ site: { site, rollouts } }: { readonly site: SiteRollouts }) {
  return (
    <section class="site" aria-labelledby={`site-${site}`}>
      <h2 id={`site-${site}`}>{site}</h2>
      {rollouts.map((kind) => (
        <KindSection key={kind.stateMachineArn} site={site} kind={kind} />
      ))}
    </section>
  );
}

function KindSection({ site, kind }: { readonly site: string; readonly kind: RolloutKind }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <section class="kind" aria-labelledby={`kind-${site}-${kind.rollout}`}>
      <div class="row">
        <h3 id={`kind-${site}-${kind.rollout}`}>{kind.rollout}</h3>
        {kind.inputSchema === undefined ? null : (
          <>
            <button type="button" onClick={() => dialog.current?.showModal()}>
              Start {kind.rollout}…
            </button>
            <StartDialog dialog={dialog} site={site} kind={kind} />
          </>
        )}
      </div>
      {kind.runs.length === 0 ? (
        <p class="empty">Never started.</p>
      ) : (
        <ul class="runs">
          {kind.runs.map((run) => (
            <Run key={run.executionArn} run={run} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Run({ run }: { readonly run: RolloutRun }) {
  const now = useNow(run.endedAt === undefined);
  return (
    <li>
      <a href={`#/execution/${encodeURIComponent(run.executionArn)}`}>{run.name}</a>
      <span class={`status ${run.status.toLowerCase()}`}>{runStatuses[run.status] ?? run.status}</span>
      <span class="when">{run.startedAt === undefined ? '' : dateAndTime(run.startedAt)}</span>
      <span class="took">{elapsed(run.startedAt, run.endedAt, now)}</span>
    </li>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
