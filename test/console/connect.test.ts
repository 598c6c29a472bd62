import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { type Connection, type ConnectionRequest, connect as connectTo } from '../../console/api/connect.ts';
import { announceRehearsal, runningRehearsals } from '../../console/api/rehearsals.ts';

/** Other tests have rehearsals of this clone up. */
const folder = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-rehearsals-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const undo: (() => void)[] = [];
afterEach(() => {
  for (const work of undo.splice(0)) work();
  vi.unstubAllEnvs();
});

const connect = (request: ConnectionRequest, environment: Record<string, string | undefined>): Connection =>
  connectTo(request, environment, () => runningRehearsals(folder));

const rehearsal = { endpoint: 'http://127.0.0.1:40123', region: 'eu-west-1', directory: '/data', pace: 10 };
const announce = () => undo.push(announceRehearsal(rehearsal, folder));

test('a rehearsal is found while it is up; one that was killed is not', () => {
  const clone = join(import.meta.dirname, '../../');
  writeFileSync(join(folder, '999999999.json'), JSON.stringify({ ...rehearsal, clone, pid: 999_999_999 }));
  expect(runningRehearsals(folder)).toEqual([]);
  const takeBack = announceRehearsal(rehearsal, folder);
  expect(runningRehearsals(folder)).toMatchObject([{ ...rehearsal, pid: process.pid }]);
  takeBack();
  expect(runningRehearsals(folder)).toEqual([]);
});

test.each<[string, ConnectionRequest, Record<string, string>, string]>([
  ['nothing said', {}, {}, 'the rehearsal at http://127.0.0.1:40123'],
  [
    '--rehearsal, over the environment',
    { rehearsal: true },
    { AWS_ENDPOINT_URL: 'http://other:1' },
    'the rehearsal at',
  ],
  ['--aws', { aws: true }, {}, 'AWS'],
  ['--profile', { profile: 'work' }, {}, 'AWS, profile work'],
  ['--region', { region: 'eu-west-1' }, {}, 'AWS'],
  ['AWS_ENDPOINT_URL', {}, { AWS_ENDPOINT_URL: 'http://other:1' }, 'http://other:1'],
  ['AWS_ENDPOINT_URL_SFN', {}, { AWS_ENDPOINT_URL: 'http://a:1', AWS_ENDPOINT_URL_SFN: 'http://b:1' }, 'http://b:1'],
  ['--endpoint-url', { endpointUrl: 'http://other:1' }, { AWS_ENDPOINT_URL: 'http://a:1' }, 'http://other:1'],
  ['--endpoint-url of the rehearsal', { endpointUrl: 'http://127.0.0.1:40123/' }, {}, 'the rehearsal at'],
])('while a rehearsal is up, %s means', (_case, request, environment, where) => {
  announce();
  expect(connect(request, environment).where).toContain(where);
});

test('a rehearsal gives the model its folder and pace; commands need not name it', () => {
  announce();
  expect(connect({}, {}).read).toEqual({ rehearsal: { directory: '/data', pace: 10 } });
  expect(connect({ endpointUrl: 'http://127.0.0.1:40123' }, {}).read.rehearsal?.endpointUrl).toBe(
    'http://127.0.0.1:40123',
  );
});

test('AWS by another address is still AWS', () => {
  const { read } = connect({ endpointUrl: 'https://vpce-1.states.eu-west-1.vpce.amazonaws.com' }, {});
  expect(read).toEqual({});
});

test.each([
  [{ rehearsal: true }, /No rehearsal of this clone is up\. npx lifecycle rehearse --keep/],
  [{ rehearsal: true, aws: true }, /exclude each other/],
  [{ endpointUrl: 'nonsense' }, /is no address/],
])('%j is refused in words', (request, words) => {
  expect(() => connect(request, {})).toThrow(words);
});

test('a profile that is named wins over keys in the environment, as with the AWS CLI', () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_PROFILE', 'other');
  connect({ profile: 'work', region: 'eu-west-1' }, process.env);
  expect(process.env).toMatchObject({ AWS_PROFILE: 'work', AWS_REGION: 'eu-west-1' });
  expect(process.env.AWS_ACCESS_KEY_ID).toBeUndefined();
});
