import { type Figure, figuresOf } from '../../model/figures.ts';
import type { SentPhase } from './server.ts';

/**
 * What a phase measured, drawn: shares as meters, times and sizes against the largest that the rollout measured. What is
 * set and not measured, such as how long health checks are patient, stands in the evidence alone.
 */
export function Figures({ phase, phases }: { readonly phase: SentPhase; readonly phases: readonly SentPhase[] }) {
  // While a phase waits, how far it is stands in the words of its last attempt: 246 of 483 tables.
  const soFar = phase.evidence === undefined ? figuresOf(phase.problem?.cause ?? '') : [];
  const figures = [...phase.figures, ...soFar].filter(
    ({ of, unit }) => of !== undefined || /^(ms|bytes|%)$/.test(unit),
  );
  if (figures.length === 0) return null;
  const all = phases.flatMap((each) => each.figures);
  return (
    <ul class="figures" aria-label={`What ${phase.title} measured`}>
      {figures.map((figure) => (
        <li key={`${figure.name} ${figure.unit}`}>
          <span class="name">{figure.name || 'so far'}</span>
          <Bar share={share(figure, all)} />
          <span class="value">{written(figure)}</span>
        </li>
      ))}
    </ul>
  );
}

function Bar({ share }: { readonly share: number | undefined }) {
  if (share === undefined) return <span />;
  return (
    <span class="track" aria-hidden="true">
      <span class="fill" style={{ width: `${(100 * share).toFixed(1)}%` }} />
    </span>
  );
}

/** @returns undefined for an amount that there is nothing to compare with */
function share(figure: Figure, all: readonly Figure[]): number | undefined {
  if (figure.of !== undefined) return figure.of === 0 ? 0 : Math.min(1, figure.value / figure.of);
  if (figure.unit === '%') return Math.min(1, figure.value / 100);
  const alike = all.filter(({ unit, of }) => unit === figure.unit && of === undefined);
  const most = Math.max(...alike.map(({ value }) => value));
  return alike.length < 2 || most === 0 ? undefined : figure.value / most;
}

function written({ value, unit, of }: Figure): string {
  if (of !== undefined) return `${value} of ${of}`;
  switch (unit) {
    case 'ms':
      return `${Number(value.toPrecision(3))} ms`;
    case '%':
      return `${value} %`;
    case 'bytes':
      return value < 1_000_000 ? `${Math.round(value / 100) / 10} kB` : `${Math.round(value / 100_000) / 10} MB`;
    default:
      return value.toLocaleString();
  }
}
