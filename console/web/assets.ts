import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface Asset {
  readonly type: string;
  readonly body: string;
}

const folder = new URL('page/', import.meta.url);

/** What the browser is sent, by path: three files, made when the console starts. */
export async function pageAssets(): Promise<ReadonlyMap<string, Asset>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('main.tsx', folder)), fileURLToPath(new URL('page.css', folder))],
    outdir: 'page',
    entryNames: 'page',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'silent',
  });
  const made = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: readFileSync(new URL('index.html', folder), 'utf8') }],
    ['/page.js', { type: 'text/javascript; charset=utf-8', body: made('.js') }],
    ['/page.css', { type: 'text/css; charset=utf-8', body: made('.css') }],
  ]);
}
