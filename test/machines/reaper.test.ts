import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ProcessKeeper } from '../../rehearsal/machines/process-keeper.ts';
import { eventually } from '../support/eventually.ts';

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

test('nothing outlives a rehearsal that is killed with SIGKILL', async () => {
  const script = fileURLToPath(new URL('./rehearsal-that-dies.ts', import.meta.url));
  const rehearsal = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise<string>((resolve) => rehearsal.stdout.once('data', (data) => resolve(String(data))));
  const { pids, directory } = JSON.parse(said) as { pids: number[]; directory: string };
  expect(pids.map(isRunning)).toEqual([true, true, true, true]);
  rehearsal.kill('SIGKILL');
  await eventually(() => expect(pids.map(isRunning)).toEqual([false, false, false, false]));
  await eventually(() => expect(existsSync(directory)).toBe(false));
});

test('stop kills the whole group of a process that does not listen', async () => {
  const keeper = new ProcessKeeper();
  const script = 'trap "" TERM; sleep 600 & echo $!; while true; do wait; done';
  const kept = await keeper.start('sh', ['-c', script], { env: { PATH: process.env.PATH ?? '' } });
  const child = Number(await new Promise((resolve) => kept.process.stdout?.once('data', resolve)));
  const exit = await kept.stop(200);
  expect(exit.signal).toBe('SIGKILL');
  await eventually(() => expect(isRunning(child)).toBe(false));
  await keeper.close();
});

test('a command that does not exist is named', async () => {
  const keeper = new ProcessKeeper();
  await expect(keeper.start('/no/such/program', [], { env: {} })).rejects.toThrow(
    '/no/such/program could not be started',
  );
  await keeper.close();
});
