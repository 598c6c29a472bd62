import type { ComponentChildren } from 'preact';
import { spansOf, timeScale } from '../time-scale.ts';
import { Evidence } from './evidence.tsx';
import { Figures } from './figures.tsx';
import type { SentPhase, SentProgress } from './server.ts';
import { Timeline } from './timeline.tsx';
import { useNow } from './use-now.ts';
import { dateAndTime, duration, elapsed, outcomeWords, phaseStatuses, plainWords, timeOfDay } from './words.ts';

/** One rollout: what it is and how it stands, then a rail of its phases with a line of time beside it. */
export function RolloutView({
  progress,
  view,
  children,
}: {
  readonly progress: SentProgress;
  readonly view: 'live' | 'paused' | 'saved';
  /** What can be done about it. */
  readonly children?: ComponentChildren;
}) {
  const clock = useNow(progress.status === 'running' && view === 'live');
  const now = view === 'saved' ? lastMoment(progress) : clock;
  const shownBack = progress.wayBack.filter(({ startedAt }) => startedAt !== undefined);
  const scale = timeScale([...progress.phases, ...shownBack].flatMap((phase) => spansOf(phase, now)));
  const draw = (phase: SentPhase) => (
    <PhaseItem key={phase.title} phase={phase} phases={progress.phases} scale={scale} now={now} />
  );
  return (
    <article class={`rollout ${slug(progress.outcome)}`}>
      <Head progress={progress} now={now} paused={view === 'paused' && progress.status === 'running'} />
      {children}
      <Outcome progress={progress} />
      <div class="columns">
        <h2>Phases</h2>
        <p class="legend" aria-hidden="true">
          Time <span class="key good" /> did it <span class="key failed" /> not yet, tried again{' '}
          {scale.gaps.length > 0 ? (
            <>
              <span class="key long" /> long wait, drawn short
            </>
          ) : null}
        </p>
      </div>
      <ol class="rail">{progress.phases.map(draw)}</ol>
      {shownBack.length > 0 ? (
        <section class="way-back" aria-labelledby="way-back">
          <h2 id="way-back">The way back</h2>
          <ol class="rail">{shownBack.map(draw)}</ol>
        </section>
      ) : null}
      <details class="input">
        <summary>Input</summary>
        <pre>{JSON.stringify(progress.input, undefined, 2)}</pre>
      </details>
    </article>
  );
}

/** When a rollout that was saved while it ran was looked at, as far as its history tells. */
function lastMoment({ phases, wayBack, startedAt }: SentProgress): number {
  const moments = [...phases, ...wayBack].flatMap((phase) =>
    [phase, ...phase.timeline].flatMap((stretch) => [stretch.startedAt, stretch.endedAt]),
  );
  return [startedAt, ...moments].reduce((last, moment) => Math.max(last, Date.parse(moment ?? '') || 0), 0);
}

/** What a rollout is called: its site and kind, or its state machine where it is none of ours. */
export function rolloutTitle({ site, rollout, stateMachine }: SentProgress): string {
  return site === undefined || rollout === undefined ? stateMachine : `${site} ${rollout}`;
}

function Head({ progress, now, paused }: { progress: SentProgress; now: number; paused: boolean }) {
  const begun = progress.phases.filter(({ startedAt }) => startedAt !== undefined).length;
  const isOpen = progress.status === 'running';
  const facts: [string, string | undefined][] = [
    ['Execution', progress.execution],
    ['Started', progress.startedAt && dateAndTime(progress.startedAt)],
    [isOpen ? 'For' : 'Took', elapsed(progress.startedAt, progress.endedAt, now)],
    [
      'Usually',
      progress.usual &&
        `${duration(progress.usual.milliseconds)} (${progress.usual.runs} ${progress.usual.runs === 1 ? 'run' : 'runs'})`,
    ],
    ['Phase', isOpen ? `${Math.max(1, begun)} of ${progress.phases.length}` : undefined],
    ['Nodes', nodesOf(progress)],
    ['Sessions in', progress.sessionStore],
    ['Resumed', progress.redrivenAt.length > 0 ? `${progress.redrivenAt.length} times` : undefined],
  ];
  return (
    <header class="head">
      <h1>{rolloutTitle(progress)}</h1>
      <p class={`outcome ${slug(progress.outcome)}`} role="status">
        {progress.ending ?? outcomeWords[progress.outcome]}
        {paused ? ' (this view is paused)' : ''}
      </p>
      <dl class="facts">
        {facts.flatMap(([name, value]) =>
          value
            ? [
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>,
              ]
            : [],
        )}
      </dl>
      {progress.console ? (
        <a href={progress.console} target="_blank" rel="noreferrer">
          In the AWS console
        </a>
      ) : null}
    </header>
  );
}

function nodesOf({ actualNodes, wantedNodes }: SentProgress): string | undefined {
  if (actualNodes === undefined) return wantedNodes === undefined ? undefined : `${wantedNodes} wanted`;
  return wantedNodes === undefined ? `${actualNodes}` : `${actualNodes} of ${wantedNodes}`;
}

/** Why it ended as it did, and what to do next. */
function Outcome({ progress: { failure, next, phases } }: { readonly progress: SentProgress }) {
  const question = phases.find(({ status }) => status === 'asking')?.question;
  if (!failure && !next && !question) return null;
  return (
    <section class="what-next" aria-label={failure ? 'Why it ended, and what to do' : 'What to do'}>
      {failure ? (
        <>
          <p class="cause">
            {failure.phase === undefined ? '' : `${failure.phase}: `}
            {failure.cause}
          </p>
          <p class="error-name">
            Error name, for the runbook: <code>{failure.error}</code>
          </p>
          {failure.lastEvidence ? (
            <p class="last-evidence">
              Last evidence, of {failure.lastEvidence.phase}: {plainWords(failure.lastEvidence.evidence)}
            </p>
          ) : null}
        </>
      ) : null}
      {question ? (
        <p>
          A person is asked{question.since === undefined ? '' : ` since ${timeOfDay(question.since)}`}
          {question.expiresAt === undefined
            ? '.'
            : `; without an answer it ends at ${dateAndTime(question.expiresAt)}.`}
        </p>
      ) : null}
      {next ? (
        <p>
          {next.why} In a terminal: <code>{next.command}</code>
        </p>
      ) : null}
    </section>
  );
}

function PhaseItem({
  phase,
  phases,
  scale,
  now,
}: {
  readonly phase: SentPhase;
  /** Of the same rollout. */
  readonly phases: readonly SentPhase[];
  readonly scale: ReturnType<typeof timeScale>;
  readonly now: number;
}) {
  return (
    <li class={`phase ${slug(phase.status)}`} aria-current={isNow(phase) ? 'step' : undefined}>
      <span class="mark" aria-hidden="true" />
      <div class="told">
        <div class="title">
          <h3>
            {phase.title} <span class={`status ${slug(phase.status)}`}>{phaseStatuses[phase.status]}</span>
          </h3>
          <p class="took">
            {elapsed(phase.startedAt, phase.startedAt === undefined ? undefined : phase.endedAt, now)}
            {phase.attempts > 1 ? `, ${phase.attempts} attempts` : ''}
            {phase.nextAttempt ? `, ${nextWords(phase.nextAttempt, now)}` : ''}
          </p>
          {phase.log !== undefined && isAddress(phase.log) ? (
            <a class="log" href={phase.log} target="_blank" rel="noreferrer" aria-label={`Log of ${phase.title}`}>
              Log
            </a>
          ) : null}
        </div>
        {phase.problem ? (
          <p class={phase.status === 'failed' || phase.status === 'aborted' ? 'problem' : 'progress-words'}>
            {phase.problem.cause} <code>{phase.problem.error}</code>
          </p>
        ) : null}
        {phase.question?.about === undefined ? null : (
          <Evidence title="What is asked" evidence={phase.question.about} open />
        )}
        {phase.evidence === undefined ? null : <Evidence title="Evidence" evidence={phase.evidence} open={false} />}
        <Figures phase={phase} phases={phases} />
        {phase.log === undefined || isAddress(phase.log) ? null : (
          <p class="log">
            Log: <code>{phase.log}</code>
          </p>
        )}
      </div>
      <Timeline phase={phase} scale={scale} now={now} />
    </li>
  );
}

/** Else it is a file of a rehearsal, which a browser may not open from a page. */
function isAddress(log: string): boolean {
  return log.startsWith('https:');
}

function isNow({ status }: SentPhase): boolean {
  return status === 'running' || status === 'waiting' || status === 'asking';
}

function nextWords({ at, exact, attemptsLeft }: NonNullable<SentPhase['nextAttempt']>, now: number): string {
  const left = Math.max(0, Date.parse(at) - now);
  return `next ${exact ? 'in' : 'within'} ${duration(left)} (${attemptsLeft} left)`;
}

export const slug = (words: string) => words.replaceAll(' ', '-');
