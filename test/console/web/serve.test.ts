import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedText } from '../recorded.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const start = JSON.stringify({ stateMachineArn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:Demo' });

/** As a browser or a script would, with any Host header, which fetch does not allow. */
function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${scene.origin}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('who may look and act', () => {
  it('is nobody without the token, or with another', async () => {
    for (const headers of [{}, { authorization: 'Bearer guessed' }, { authorization: `Bearer ${scene.token}x` }]) {
      expect(await send('POST', '/api/start', headers, start)).toMatchObject({
        status: 401,
        text: expect.stringContaining('Open the address that “npx lifecycle console” printed'),
      });
      expect(await send('GET', '/api/overview', headers)).toMatchObject({ status: 401 });
    }
    expect(scene.api.calls).toEqual([]);
  });

  it('is nobody under a name that was made to point here, nor a page of another site', async () => {
    const authorization = `Bearer ${scene.token}`;
    const foreignHost = { authorization, host: 'evil.example' };
    expect(await send('GET', '/', foreignHost)).toMatchObject({ status: 421 });
    expect(await send('POST', '/api/start', foreignHost, start)).toMatchObject({ status: 421 });
    const foreignOrigin = { authorization, origin: 'https://evil.example' };
    expect(await send('POST', '/api/start', foreignOrigin, start)).toMatchObject({ status: 403 });
    expect(scene.api.calls).toEqual([]);
  });

  it('is whoever has the page’s address', async () => {
    const headers = { authorization: `Bearer ${scene.token}`, origin: scene.origin };
    expect(await send('POST', '/api/start', headers, start)).toMatchObject({ status: 200 });
    expect(scene.api.calls.map(({ operation }) => operation)).toEqual(['StartExecution']);
  });
});

describe('what the page’s server answers', () => {
  const headers = () => ({ authorization: `Bearer ${scene.token}` });

  it('says in words that a file is no history, and that a body is no JSON', async () => {
    expect(await send('POST', '/api/open', headers(), '{"events":[]}')).toMatchObject({
      status: 400,
      text: expect.stringContaining('This file is no saved history.'),
    });
    expect(await send('POST', '/api/start', headers(), '{')).toMatchObject({ status: 400 });
    expect(await send('POST', '/api/open', headers(), recordedText('held'))).toMatchObject({ status: 200 });
  });

  it('knows no other pages and actions', async () => {
    expect(await send('GET', '/../package.json', headers())).toMatchObject({ status: 404 });
    expect(await send('GET', '/api/secrets', headers())).toMatchObject({ status: 404 });
    expect(await send('POST', '/api/destroy', headers(), '{}')).toMatchObject({ status: 404 });
  });

  it('lets no other page frame it, no script of elsewhere run in it, and nothing be kept of it', async () => {
    const response = await fetch(scene.origin);
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('sends less than 100 KB for the whole page', async () => {
    const files = await Promise.all(['/', '/page.js', '/page.css'].map((path) => send('GET', path, {})));
    const bytes = files.map(({ text }) => Buffer.byteLength(text)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(100_000);
  });
});
