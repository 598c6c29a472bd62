/**
 * A process apart that outlives the rehearsal by seconds only: it reads a pipe whose other end only the rehearsal holds.
 * The pipe ends when the rehearsal dies, by whatever signal, and then every process that it started is ended.
 *
 * Process groups do not catch a descendant that left its group, and a rehearsal can die between a start and its line
 * here; so the environment of every process is searched for the rehearsal's mark as well (Linux only).
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

export const MARK = 'MOODLE_LIFECYCLE_REHEARSAL';
const ORDERLY_MILLISECONDS = 2_000;

if (import.meta.main) await reap();

async function reap(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const groups = new Map<number, NodeJS.Signals>();
  const discarded: string[] = [];
  let mark = '';
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, first = '', second] = JSON.parse(line) as [string, string, NodeJS.Signals?];
    if (verb === 'mark') mark = `${MARK}=${first}`;
    if (verb === 'add') groups.set(Number(first), second ?? 'SIGTERM');
    if (verb === 'remove') groups.delete(Number(first));
    if (verb === 'discard') discarded.push(first);
    if (verb === 'done') return;
  }
  for (const [group, signal] of groups) signalGroup(group, signal);
  const deadline = Date.now() + ORDERLY_MILLISECONDS;
  while (Date.now() < deadline && [...groups.keys()].some(isGroupAlive)) await wait(50);
  for (const group of groups.keys()) signalGroup(group, 'SIGKILL');
  // Twice, because a process found in the first pass may have been starting another.
  for (let pass = 0; pass < 2; pass++) {
    for (const pid of processesMarked(mark)) signalProcess(pid, 'SIGKILL');
    await wait(100);
  }
  for (const directory of discarded) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Whether the group has a member that runs; one that only waits to be collected by its parent does not count. */
export function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const members = processIds().filter((pid) => processStat(pid)?.group === group);
  return members.length === 0 || members.some((pid) => processStat(pid)?.state !== 'Z');
}

export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalProcess(-group, signal);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, which is what is wanted.
  }
}

function processesMarked(mark: string): number[] {
  if (mark === '') return [];
  return processIds().filter((pid) => pid !== process.pid && environmentOf(pid).includes(mark));
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function processStat(pid: number): { state: string; group: number } | undefined {
  try {
    // proc(5): "pid (comm) state ppid pgrp …"; comm may hold spaces and brackets, so read after its last bracket.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}
