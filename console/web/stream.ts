import type { ServerResponse } from 'node:http';

/** So that a proxy or a browser that waits for ever notices a console that is gone. */
const signOfLifeMilliseconds = 10_000;
/** After trouble: AWS asks for patience, and a person reads no faster. */
const lookAgainMilliseconds = 2_000;

/**
 * Lines of JSON for as long as the browser listens: `{"data"}` when what is looked at has changed, `{"trouble"}` in
 * words when it cannot be looked at, `{"fine"}` when it can again.
 */
export async function stream(
  response: ServerResponse,
  look: () => Promise<unknown>,
  wordsOf: (error: unknown) => string,
  every: number,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  let shown = '';
  let trouble: string | undefined;
  let lastSent = Date.now();
  const write = (line: string) => {
    response.write(`${line}\n`);
    lastSent = Date.now();
  };
  while (!response.destroyed && !response.writableEnded) {
    try {
      const seen = JSON.stringify({ data: await look() });
      if (trouble !== undefined) write(JSON.stringify({ fine: true }));
      trouble = undefined;
      if (seen !== shown) write(seen);
      else if (Date.now() - lastSent > signOfLifeMilliseconds) write('');
      shown = seen;
    } catch (error) {
      const words = wordsOf(error);
      if (words !== trouble) write(JSON.stringify({ trouble: words }));
      trouble = words;
    }
    await new Promise((resolve) => setTimeout(resolve, trouble === undefined ? every : lookAgainMilliseconds));
  }
}
