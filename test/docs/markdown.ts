import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function readDocument(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}

/** Text of each section by its heading (`## Heading`), code blocks included. */
export function sectionsOf(document: string): Map<string, string> {
  const parts = withoutCode(document).split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.split('\n', 1)[0]?.trim() ?? '', part]));
}

/** The first cells of the rows of a table whose heading's first cell this is. */
export function firstColumn(document: string, heading: string): string[] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  if (start < 0) throw new Error(`There is no table that begins with “${heading}”.`);
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? undefined : end).map((row) => (row.split('|')[1] ?? '').trim().replaceAll('`', ''));
}

/** Addresses of the links, inside the document's own repository only. */
export function localLinks(document: string): string[] {
  return [...withoutCode(document).matchAll(/\]\(([^)]+)\)/g)]
    .map(([, address = '']) => address)
    .filter((address) => !/^https?:/.test(address));
}

/** The heading's address on the page, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function withoutCode(document: string): string {
  return document.replaceAll(/^```[^\n]*\n.*?^```$/gms, '');
}
