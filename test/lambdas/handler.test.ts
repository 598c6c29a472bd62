import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { InstallStillRunning, SiteHeld } from '../../lambdas/shared/errors.ts';
import { makeHandler } from '../../lambdas/shared/handler.ts';

const input = { site: 'campus', execution: 'arn:execution' };
let log: MockInstance<typeof console.log>;
beforeEach(() => {
  log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterEach(() => log.mockRestore());
const lines = () => log.mock.calls.map(([line]) => JSON.parse(String(line)));

function handlerOf(work: () => Promise<unknown>) {
  const close = vi.fn(async () => undefined);
  const connect = vi.fn(() => ({ database: { close } }));
  return { handler: makeHandler('Some phase', connect, work), connect, close };
}

async function thrownBy(work: () => Promise<unknown>): Promise<Error> {
  const thrown = await handlerOf(work)
    .handler(input)
    .catch((error: unknown) => error);
  return thrown as Error;
}

describe('makeHandler', () => {
  it('gives the evidence, logs it, connects once, and closes every time', async () => {
    const { handler, connect, close } = handlerOf(async () => ({ nodes: 3 }));
    expect(await handler(input)).toEqual({ nodes: 3 });
    await handler(input);
    expect(connect).toHaveBeenCalledOnce();
    expect(close).toHaveBeenCalledTimes(2);
    expect(lines()[0]).toMatchObject({ level: 'info', phase: 'Some phase', event: 'done', evidence: { nodes: 3 } });
  });

  it('throws a wait and a refusal as they are, without a stack, and logs the wait as no error', async () => {
    const wait = await thrownBy(async () => Promise.reject(new InstallStillRunning('3 of 483 tables.')));
    expect([wait.name, wait.message, wait.stack]).toEqual(['InstallStillRunning', '3 of 483 tables.', '']);
    await thrownBy(async () => Promise.reject(new SiteHeld('held')));
    expect(lines().map(({ level, event }) => `${level} ${event}`)).toEqual(['info waiting', 'error failed']);
  });

  it.each([
    Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $metadata: {} }),
    Object.assign(new Error('oops'), { name: 'InternalFailure', $fault: 'server', $metadata: { httpStatusCode: 500 } }),
    Object.assign(new Error('connect'), { name: 'Error', code: 'ECONNRESET', $metadata: {} }),
    Object.assign(new Error('slow'), { name: 'TimeoutError' }),
  ])('waits when an AWS API fails passingly: $name', async (error) => {
    expect(await thrownBy(async () => Promise.reject(error))).toMatchObject({ name: 'AwsNotAnswering' });
  });

  it('names what nobody foresaw, and logs where it was', async () => {
    const denied = Object.assign(new Error('not authorized to perform ecs:RunTask'), {
      name: 'AccessDeniedException',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    });
    const thrown = await thrownBy(async () => Promise.reject(denied));
    expect(thrown).toMatchObject({
      name: 'UnexpectedError',
      message: expect.stringMatching(/“Some phase” met AccessDeniedException: not authorized to perform ecs:RunTask/),
      stack: '',
    });
    expect(lines()[0]).toMatchObject({ level: 'error', stack: expect.stringContaining('handler.test.ts') });
  });

  it('names what fails while it connects', async () => {
    const failing = makeHandler(
      'Some phase',
      (): object => {
        throw new TypeError('no such variable');
      },
      async () => ({}),
    );
    await expect(failing(input)).rejects.toMatchObject({ name: 'UnexpectedError' });
  });
});
