import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Recording } from '../../console/api/recording.ts';
import { shells } from '../../console/cli/completion.ts';
import { exitCodes } from '../../console/cli/exit-codes.ts';
import { runCommand } from '../../console/cli/run.ts';
import { verbs } from '../../console/cli/verbs.ts';
import { parseHistory } from '../../console/model/history-file.ts';
import { ApiServer } from './api-server.ts';
import { asking, token } from './asking.ts';
import { cutShort, recorded } from './recorded.ts';
import { Terminal } from './terminal-emulator.ts';

const clone = join(import.meta.dirname, '../..');
const bin = join(clone, 'console/bin.js');
const main = join(clone, 'console/cli/main.ts');
let api: ApiServer;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  api = await ApiServer.open();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await api.close();
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Nothing of whoever runs the tests: no profile, no keys, no rehearsal that happens to be up. */
function environment(changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '' } = process.env;
  return {
    PATH,
    HOME: folder,
    AWS_ENDPOINT_URL: api.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_COMPILE_CACHE: join(clone, 'node_modules/.cache/moodle-lifecycle/compile'),
    ...changes,
  };
}

function begin(words: readonly string[], changes?: Readonly<Record<string, string>>, program = main): ChildProcess {
  return spawn(process.execPath, [program, ...words], { env: environment(changes), cwd: folder });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/** The command in a process of its own, as a shell runs it. */
const command = (words: readonly string[], changes?: Readonly<Record<string, string>>) => {
  const child = begin(words, changes);
  child.stdin?.end();
  return ended(child);
};

/** The same without the price of a process. */
async function lifecycle(words: readonly string[], endpointUrl = api.url): Promise<Ended> {
  vi.stubEnv('AWS_ENDPOINT_URL', endpointUrl);
  let out = '';
  let err = '';
  const code = await runCommand(words, {
    screen: { write: (text) => (out += text) },
    complain: (line) => {
      err += `${line}\n`;
    },
  });
  return { code, out, err };
}

const running = () => {
  const recording = recorded('fresh-install');
  return cutShort(recording, Math.floor(recording.events.length / 2));
};
const timedOut = (): Recording => {
  const { definition, execution, events } = recorded('stopped');
  return { definition, execution: { ...execution, status: 'TIMED_OUT' }, events };
};
const operations = () => api.calls.map(({ operation }) => operation);

describe('the exit code tells the outcome', () => {
  test.each([
    ['fresh-install', () => recorded('fresh-install'), exitCodes.succeeded],
    ['failed-scale-out', () => recorded('failed-scale-out'), exitCodes['put back']],
    ['not-all-put-back', () => recorded('not-all-put-back'), exitCodes.failed],
    ['not-put-back', () => recorded('not-put-back'), exitCodes.failed],
    ['site-held', () => recorded('site-held'), exitCodes.refused],
    ['stopped', () => recorded('stopped'), exitCodes.stopped],
    ['timed out', timedOut, exitCodes['timed out']],
    ['running', running, exitCodes.running],
    ['waits for a person', asking, exitCodes.asking],
  ])('%s', async (_name, recording, code) => {
    const arn = api.add(recording());
    const { out, err, ...rest } = await command(['status', arn]);
    expect(err).toBe('');
    expect(rest.code).toBe(code);
    expect(out).toMatch(/^demo |^DemoPluginUpdate/);
  });
});

test('the command that package.json names runs on the pinned Node.js, and passes the exit code on', async () => {
  const { bin: bins } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
  expect(join(clone, bins.lifecycle)).toBe(bin);
  expect(statSync(bin).mode & 0o111).toBe(0o111);
  const arn = api.add(recorded('site-held'));
  const { code, out } = await ended(begin(['status', '--json', arn], {}, bin));
  expect(code).toBe(exitCodes.refused);
  expect(JSON.parse(out)).toMatchObject({ site: 'demo', outcome: 'refused', failure: { error: 'SiteHeld' } });
});

describe('a wrong command line is refused before anything is called', () => {
  test.each([
    [['statsu'], /no command “statsu”\. Did you mean status\?/],
    [['status', '--wach'], /no option --wach\. Did you mean --watch\?/],
    [['status', 'a', 'b'], /does not take “b”/],
    [['start'], /start takes install/],
    [['start', 'nothing'], /start takes .*, not “nothing”/],
    [['start', 'install', '--nodes', 'three'], /--nodes takes a number, not “three”/],
    [['start', 'install', '--nodes', '0'], /nodes must be >= 1\. Nothing was started/],
    [['start', 'install', '--finish', 'by-hand'], /--finish takes unattended or browser/],
    [['start', 'install', '--finish', 'browser'], /adminIp/],
    [['start', 'install', '--input', '{'], /--input is no JSON/],
    [['start', 'install', '--input', '{"node": 3}'], /node is not known \(known are nodes, /],
    [['hold'], /hold takes --reason/],
    [['stop', 'x', '--limit', '3'], /no option --limit/],
    [['history', '--limit', '0'], /--limit takes a whole number from 1/],
    [['completion', 'tcsh'], /completion takes bash or zsh or fish/],
    [[], /^$/],
  ])('%j', async (words, sentence) => {
    const { code, err } = await lifecycle(words);
    expect(code).toBe(exitCodes.usage);
    expect(err).toMatch(sentence);
    expect(api.calls).toEqual([]);
  });
});

describe('trouble is a plain sentence', () => {
  const none = { AWS_ENDPOINT_URL: '' };
  test.each([
    [
      'no credentials',
      ['status', '--aws', '--region', 'eu-west-1'],
      none,
      /no AWS credentials .*aws configure.*--rehearsal/,
    ],
    [
      'no region',
      ['status', '--aws'],
      { ...none, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
      /No AWS region is set.*--region/,
    ],
    ['an unknown profile', ['status', '--profile', 'nobody', '--region', 'eu-west-1'], none, /profile “nobody”/],
    [
      'nobody there',
      ['status', '--endpoint-url', 'http://127.0.0.1:9'],
      {},
      /127\.0\.0\.1:9 does not answer \(ECONNREFUSED\)/,
    ],
    ['no address', ['status', '--endpoint-url', 'nonsense'], {}, /“nonsense” is no address/],
    [
      'an execution that is not there',
      ['status', 'arn:aws:states:eu-west-1:1:execution:a:b'],
      {},
      /no such execution.*history.*looked for on/,
    ],
    ['a file that is not there', ['status', './nothing.json'], {}, /cannot be read: ENOENT.*history EXECUTION --save/],
    ['an account without a site', ['history'], {}, /No Moodle site is deployed/],
  ])('%s', async (_case, words, changes, sentence) => {
    const { code, out, err } = await command(words, changes);
    expect([code, out]).toEqual([exitCodes.trouble, '']);
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

describe('start', () => {
  test('gives the options as the input, over that of --input, and a name that says who', async () => {
    api.add(recorded('fresh-install'));
    const input = join(folder, 'input.json');
    writeFileSync(input, '{"nodes": 1, "reason": "term begins"}');
    const { code, out } = await lifecycle(['start', 'install', '--nodes', '4', '--input', `@${input}`, '--no-wait']);
    expect(code).toBe(exitCodes.running);
    const call = api.calls.find(({ operation }) => operation === 'StartExecution');
    expect(JSON.parse(call?.input.input)).toEqual({ nodes: 4, reason: 'term begins' });
    expect(call?.input.name).toMatch(/^[A-Za-z0-9_-]+-\d{8}-\d{6}-\w{4}$/);
    expect(out).toMatch(/Started install of demo.*status --watch arn:/s);
  });

  test('needs to be told the site where there are several', async () => {
    api.add(recorded('fresh-install'));
    api.machines.push({
      arn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:CampusInstall',
      site: 'campus',
      name: 'install',
    });
    const several = await lifecycle(['start', 'install', '--no-wait']);
    expect(several).toMatchObject({
      code: exitCodes.trouble,
      err: expect.stringMatching(/several sites.*--site: campus, demo/),
    });
    expect(await lifecycle(['start', 'install', '--no-wait', '--site', 'other'])).toMatchObject({
      err: expect.stringMatching(/no site other.*There is: campus, demo/),
    });
    const { code } = await lifecycle(['start', 'install', '--no-wait', '--site', 'campus']);
    expect(code).toBe(exitCodes.running);
    const started = api.calls.filter(({ operation }) => operation === 'StartExecution');
    expect(started.map(({ input }) => input.stateMachineArn)).toEqual([expect.stringContaining('CampusInstall')]);
  });
});

describe('retry', () => {
  const stopped = (): Recording => {
    const { definition, execution, events } = recorded('stopped');
    return { definition, execution: { ...execution, redriveStatus: 'REDRIVABLE' }, events };
  };

  test('resumes a phase where Step Functions can', async () => {
    const arn = api.add(stopped());
    const { code, out } = await lifecycle(['retry', arn, '--no-wait']);
    expect(code).toBe(exitCodes.running);
    expect(out).toMatch(/resumes “Scale out”/);
    expect(operations()).toContain('RedriveExecution');
    expect(operations()).not.toContain('StartExecution');
  });

  test('starts again with the same input where the rollout went its way back', async () => {
    const recording = recorded('failed-scale-out');
    const arn = api.add(recording);
    const { out } = await lifecycle(['retry', arn, '--no-wait']);
    expect(out).toMatch(/starts again with the same input: the rollout ended by itself/);
    expect(api.calls.find(({ operation }) => operation === 'StartExecution')?.input).toMatchObject({
      stateMachineArn: recording.execution.stateMachineArn,
      input: recording.execution.input,
    });
    expect(operations()).not.toContain('RedriveExecution');
  });

  test('starts again where another rollout has had the site since, or Step Functions refuses', async () => {
    const recording = stopped();
    const arn = api.add(recording);
    api.intercept = ({ operation }) =>
      operation === 'RedriveExecution' ? { __type: 'ExecutionNotRedrivable', message: 'too many events' } : undefined;
    expect((await lifecycle(['retry', arn, '--no-wait'])).out).toMatch(
      /could not resume the execution: too many events/,
    );
    api.intercept = () => undefined;
    const later = { ...recorded('converged').execution, name: 'later', startDate: new Date() };
    api.add({
      ...recorded('converged'),
      execution: { ...later, executionArn: `${arn}-later`, stateMachineArn: recording.execution.stateMachineArn },
    });
    expect((await lifecycle(['retry', arn, '--no-wait'])).out).toMatch(/later has worked on the site since/);
  });

  test.each([
    ['fresh-install', /has succeeded/],
    ['input-refused', /was refused, and would be again.*at most 10.*start install/],
  ])('refuses %s and says what to do', async (name, sentence) => {
    const arn = api.add(recorded(name));
    const { code, err } = await lifecycle(['retry', arn]);
    expect(code).toBe(exitCodes.trouble);
    expect(err).toMatch(sentence);
  });
});

describe('a person’s decision', () => {
  test.each([
    ['approve', 'SendTaskSuccess', { output: JSON.stringify({ by: 'ada', comment: 'looks good' }) }],
    ['refuse', 'SendTaskFailure', { error: 'ApprovalRefused', cause: 'Refused by ada: looks good' }],
  ])('%s is told with the token of the execution’s own history', async (verb, operation, input) => {
    const arn = api.add(asking(), 'demo', 'plugin-update');
    const { code, out, err } = await lifecycle([verb, arn, '--as', 'ada', '--reason', 'looks good', '--yes']);
    expect([code, err]).toEqual([exitCodes.succeeded, '']);
    expect(out).not.toContain('Secret');
    expect(api.calls.find((call) => call.operation === operation)?.input).toEqual({ taskToken: token, ...input });
  });

  test('is not taken unasked, and not where nobody is asked for one', async () => {
    const arn = api.add(asking());
    expect(await lifecycle(['approve', arn])).toMatchObject({
      code: exitCodes.usage,
      err: expect.stringContaining('--yes'),
    });
    const other = api.add(recorded('fresh-install'));
    expect(await lifecycle(['approve', other, '--yes'])).toMatchObject({
      code: exitCodes.trouble,
      err: expect.stringMatching(/does not wait for anybody's decision/),
    });
    expect(operations().filter((operation) => operation.startsWith('SendTask'))).toEqual([]);
  });

  test('shows the plan and the expiry, the token nowhere', async () => {
    const arn = api.add(asking());
    for (const words of [
      ['status', arn],
      ['status', '--json', arn],
      ['explain', arn],
      ['history', arn],
    ]) {
      const { out } = await lifecycle(words);
      expect(out).toContain(words[0] === 'history' ? 'Wait for approval: asking' : 'mod_attendance');
      expect(out).not.toContain('Secret');
    }
  });
});

test('stop asks first; told to, it says who and why, and what is left', async () => {
  const arn = api.add(running());
  expect(await lifecycle(['stop', arn])).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining('--yes'),
  });
  expect(operations()).not.toContain('StopExecution');
  const { code, out } = await lifecycle(['stop', arn, '--yes', '--reason', 'wrong image']);
  expect(code).toBe(exitCodes.succeeded);
  expect(out).toMatch(/stays held by it.*npx lifecycle retry arn:/s);
  expect(api.calls.find(({ operation }) => operation === 'StopExecution')?.input.cause).toMatch(
    /^Stopped by .*: wrong image\.$/,
  );
});

test('a history that is saved opens without any connection, and has no token in it', async () => {
  const arn = api.add(asking());
  const file = join(folder, 'run.json');
  expect(await lifecycle(['history', arn, '--save', file])).toMatchObject({
    code: 0,
    out: expect.stringContaining('Saved nightly'),
  });
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(readFileSync(file, 'utf8')).not.toContain('Secret');
  const nowhere = 'http://127.0.0.1:9';
  const live = JSON.parse((await lifecycle(['status', '--json', arn])).out);
  const opened = JSON.parse((await lifecycle(['status', '--json', file], nowhere)).out);
  const { log: _live, ...phase } = live.phases[0];
  const { log: _opened, ...same } = opened.phases[0];
  expect(same).toEqual(phase);
  expect(opened.phases[1].question).toEqual(live.phases[1].question);
  expect(await lifecycle(['explain', file], nowhere)).toMatchObject({ code: 0 });
});

test('lists past rollouts of all kinds; a name or its start is enough to look at one', async () => {
  api.add(recorded('fresh-install'));
  api.add(recorded('stopped'));
  api.add(recorded('held'), 'demo', 'hold');
  const { out } = await lifecycle(['history']);
  expect(out.trim().split('\n')).toHaveLength(3);
  expect(out).toMatch(/✔ .* install .* succeeded/);
  expect(out).toMatch(/■ .* install .* aborted/);
  expect(out).toMatch(/✔ .* hold .* succeeded/);
  const name = recorded('stopped').execution.name ?? '';
  for (const word of [name, name.slice(0, 8)]) {
    expect((await lifecycle(['status', word, '--json'])).out).toContain('"outcome": "stopped"');
  }
});

test('status says who holds the site, since when and why, until it is released', async () => {
  api.add(recorded('fresh-install'));
  api.add(recorded('held'), 'demo', 'hold');
  expect((await lifecycle(['status'])).out).toMatch(/held by ada since 20\d\d-.*: exam week\. .*npx lifecycle release/);
  const released = recorded('released');
  api.add({ ...released, execution: { ...released.execution, startDate: new Date() } }, 'demo', 'hold');
  expect((await lifecycle(['status'])).out).not.toContain('held by');
});

describe('watching', () => {
  /** Serves a rollout that is over after so many looks. */
  function endsAfter(looks: number): string {
    const whole = recorded('fresh-install');
    const arn = api.add(whole);
    let seen = 0;
    api.intercept = ({ operation }) => {
      if (operation === 'DescribeExecution') seen += 1;
      const { execution, events } =
        seen > looks ? whole : cutShort(whole, Math.floor((whole.events.length * seen) / (looks + 1)));
      if (operation === 'DescribeExecution') return execution;
      return operation === 'GetExecutionHistory' ? { events: [...events].reverse() } : undefined;
    };
    return arn;
  }

  test('appends plain lines to a file, one per change, and ends with the outcome', async () => {
    const arn = endsAfter(3);
    const { code, out } = await lifecycle(['status', '--watch', arn]);
    expect(code).toBe(exitCodes.succeeded);
    expect(out).not.toContain('\u001b');
    expect(out.split('\n').filter((line) => line.includes('Check the site: succeeded'))).toHaveLength(1);
    expect(out).toMatch(/Release the site: succeeded.*✔ demo install succeeded in/s);
  });

  test('Ctrl-C ends the showing, not the rollout', async () => {
    const arn = api.add(running());
    const child = begin(['status', '--watch', arn]);
    child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    const { code, out } = await ended(child);
    expect(code).toBe(exitCodes.detached);
    expect(out).toMatch(/Detached\. The rollout goes on.*npx lifecycle status --watch arn:/s);
    expect(operations()).not.toContain('StopExecution');
  });

  test('redraws in place on a terminal of 60 columns, and leaves it as it was', async () => {
    const arn = endsAfter(4);
    // util-linux's script gives the command a terminal of its own.
    const shell = `stty cols 60 rows 50; exec ${process.execPath} ${main} status --watch ${arn}`;
    const child = spawn('script', ['-qfec', shell, '/dev/null'], {
      env: environment({ TERM: 'xterm-256color' }),
      cwd: folder,
    });
    child.stdin.end();
    const { out } = await ended(child);
    const screen = new Terminal(60, 50);
    screen.write(out.replaceAll('\r\n', '\n').replace(/Script \w+.*$/s, ''));
    expect(screen.cursorHidden).toBe(false);
    expect([screen.wraps, screen.draws]).toEqual([true, false]);
    const lines = screen.text.split('\n');
    expect(lines[0]).toMatch(/^demo install .* succeeded, /);
    // Drawn again and again, each phase is there once.
    expect(lines.filter((line) => line.includes('Check the site'))).toHaveLength(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(out).toContain('\u001b[32m✔\u001b[0m');
    expect(out.split('\u001b[?2026h').length).toBeGreaterThan(4);
  });
});

describe('console', () => {
  test('serves the page at the address that it prints, over what AWS answers, until Ctrl-C', async () => {
    const arn = api.add(recorded('fresh-install'));
    const child = begin(['console']);
    const over = ended(child);
    let printed = '';
    const address = await new Promise<URL>((resolve) => {
      child.stdout?.on('data', (text) => {
        printed += text;
        const [url] = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(printed) ?? [];
        if (url) resolve(new URL(url));
      });
    });
    expect(await (await fetch(address)).text()).toMatch(/<script/);
    const history = new URL(`/api/history?execution=${encodeURIComponent(arn)}`, address);
    expect((await fetch(history)).status).toBe(401);
    const headers = { authorization: `Bearer ${address.hash.replace('#token=', '')}` };
    const shown = parseHistory(await (await fetch(history, { headers })).text());
    expect(shown.execution.executionArn).toBe(arn);
    child.kill('SIGINT');
    expect(await over).toMatchObject({ code: exitCodes.succeeded, err: '' });
  });

  test('refuses a port that is none, or taken', async () => {
    expect(await lifecycle(['console', '--port', 'any'])).toMatchObject({ code: exitCodes.usage });
    const taken = await lifecycle(['console', '--port', new URL(api.url).port]);
    expect(taken).toMatchObject({ code: exitCodes.trouble, err: expect.stringContaining('is taken') });
  });
});

describe('help', () => {
  test.each(verbs.filter(({ passesOn }) => !passesOn))(
    '$name has examples, and every option in one line of words',
    async (verb) => {
      expect(verb.examples.length).toBeGreaterThan(0);
      for (const [command] of verb.examples) expect(command.split(' ')[0]).toBe(verb.name);
      for (const { doc } of Object.values(verb.options)) expect(doc).not.toMatch(/\.$|\n/);
    },
  );

  test('is printed for all, for one, and for one with its input', async () => {
    const [all, one, input] = await Promise.all([
      lifecycle(['--help']),
      lifecycle(['status', '--help']),
      lifecycle(['start', 'install', '--help']),
    ]);
    for (const { code } of [all, one, input]) expect(code).toBe(0);
    for (const { name } of verbs) expect(all.out).toContain(`  ${name} `);
    expect(all.out).toMatch(/^ {2}130 /m);
    expect(one.out).toMatch(/--watch .*--profile NAME|--profile NAME.*--watch/s);
    expect(input.out).toMatch(/--nodes N .*--admin-ip/s);
    expect(api.calls).toEqual([]);
  });
});

describe('completion', () => {
  const scriptOf = async (shell: string) => {
    const { out } = await lifecycle(['completion', shell]);
    const file = join(folder, `completion.${shell}`);
    writeFileSync(file, out);
    return file;
  };

  test.each(shells)('of %s names every command and option, in a syntax that the shell takes', async (shell) => {
    const file = await scriptOf(shell);
    const text = readFileSync(file, 'utf8');
    for (const { name, options } of verbs) {
      expect(text).toContain(name);
      for (const option of Object.keys(options)) expect(text).toContain(option);
    }
    expect(text).toContain('admin-ip');
    const there = spawnSync(shell, ['-c', 'true']).status === 0;
    if (there) expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    [
      ['lifecycle', 'st'],
      ['start', 'status', 'stop'],
    ],
    [['lifecycle', 'start', ''], ['install']],
    [['lifecycle', 'start', 'install', '--fin'], ['--finish']],
    [
      ['lifecycle', 'start', 'install', '--finish', ''],
      ['unattended', 'browser'],
    ],
    [['lifecycle', 'status', '--wa'], ['--watch']],
    [['lifecycle', 'retry', '--no'], ['--no-wait']],
  ])('in bash: %j', async (words, expected) => {
    const file = await scriptOf('bash');
    const line = words.map((word) => `'${word}'`).join(' ');
    const code = `source ${file}; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _lifecycle; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', code], { encoding: 'utf8', cwd: join(clone, 'console/cli') });
    expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(expected));
    expect(stdout).not.toContain('undefined');
  });
});
