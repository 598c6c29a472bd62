import { describe, expect, it } from 'vitest';
import { readInstallInput } from '../../lambdas/shared/install-input.ts';
import { asMoodleWritesIt } from '../../lambdas/shared/moodle-address.ts';

const limits = { defaultNodes: 2, maximumNodes: 4 };

describe('readInstallInput', () => {
  it('takes the defaults for what is left out', () => {
    expect(readInstallInput({}, limits)).toEqual({
      nodes: 2,
      finish: 'unattended',
      adminIp: null,
      existingSite: false,
      acceptMissingFiles: false,
      reason: 'install',
    });
    expect(readInstallInput(undefined, limits)).toMatchObject({ nodes: 2 });
  });

  it('takes all members', () => {
    const input = { nodes: 4, finish: 'browser', adminIp: '2001:DB8::1', reason: 'first term' };
    expect(readInstallInput(input, limits)).toEqual({
      ...input,
      adminIp: '2001:db8:0:0:0:0:0:1',
      existingSite: false,
      acceptMissingFiles: false,
    });
    expect(readInstallInput({ existingSite: true, acceptMissingFiles: true }, limits)).toMatchObject({
      existingSite: true,
      acceptMissingFiles: true,
    });
  });

  it.each<[unknown, string]>([
    [{ nodes: 0 }, 'nodes must be >= 1'],
    [{ existingSite: 'yes' }, 'existingSite must be boolean'],
    [{ acceptMissingFiles: true }, 'acceptMissingFiles is only for existingSite = true'],
    [{ nodes: 5 }, 'at most 4'],
    [{ nodes: 1.5 }, 'nodes must be integer'],
    [{ nodes: '2' }, 'nodes must be integer'],
    [{ finish: 'cli' }, 'not unattended or browser'],
    [{ finish: 'browser' }, 'adminIp is needed'],
    [{ adminIp: '203.0.113.7' }, 'adminIp is only for finish = browser'],
    [{ finish: 'browser', adminIp: '203.0.113' }, 'not an IPv4 address'],
    [{ finish: 'browser', adminIp: '203.0.113.0/24' }, 'not an IPv4 address'],
    [{ finish: 'browser', adminIp: '::ffff:203.0.113.7' }, 'not an IPv4 address'],
    [{ finish: 'browser', adminIp: 'fe80::1%eth0' }, 'not an IPv4 address'],
    [{ reason: 'x'.repeat(201) }, 'reason must NOT have more than 200'],
    [{ reason: 'two\nlines' }, 'reason must match'],
    [{ node: 3 }, 'node is not known (known are nodes, finish, adminIp, existingSite, acceptMissingFiles, reason)'],
    [[], 'the input must be object'],
    ['nodes', 'the input must be object'],
  ])('refuses %j', (input, words) => {
    expect(() => readInstallInput(input, limits)).toThrow(
      expect.objectContaining({ name: 'InputInvalid', message: expect.stringContaining(words) }),
    );
  });

  it('names everything that is wrong at once', () => {
    expect(() => readInstallInput({ nodes: 0, finish: 'no', more: 1 }, limits)).toThrow(
      /more is not known.*nodes.*finish/s,
    );
  });
});

describe('asMoodleWritesIt', () => {
  // The right-hand sides are what cleanremoteaddr() of Moodle 4.5 answers.
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['2001:0DB8:0000:0000:0000:FF00:0042:8329', '2001:db8:0:0:0:ff00:42:8329'],
    ['2001:db8::ff00:42:8329', '2001:db8:0:0:0:ff00:42:8329'],
    ['fe80::', 'fe80:0:0:0:0:0:0:0'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('%s is %s', (address, written) => {
    expect(asMoodleWritesIt(address)).toBe(written);
  });
});
