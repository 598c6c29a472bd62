import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const runbook = fileURLToPath(new URL('../../docs/runbook.md', import.meta.url));

/** Sections of what is no error of a phase. */
const titles: Readonly<Record<string, string>> = {
  StoppedByHand: 'A rollout was stopped by hand',
  Aborted: 'A rollout was stopped by hand',
  SiteNotPutBack: 'Site not put back',
};

/** What the runbook says of an error: `Means`, `Left`, `Look` and `Next`, each as one line; empty for one it has not. */
export function runbookSection(error: string): ReadonlyMap<string, string> {
  const sections = readFileSync(runbook, 'utf8').split(/^## /m).slice(1);
  const section =
    sections.find((text) => (text.split('\n', 1)[0] ?? '').split(', ').includes(titles[error] ?? error)) ?? '';
  const points = section.matchAll(/^- \*\*(\w+):\*\* (.*(?:\n {2}.*)*)/gm);
  return new Map([...points].map(([, title = '', text = '']) => [title, withoutLinks(text)]));
}

function withoutLinks(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}
