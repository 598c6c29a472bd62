import { describe, expect, it } from 'vitest';
import {
  changesNothing,
  compareReleases,
  decideUpdates,
  type Known,
  riskOf,
} from '../../lambdas/shared/decide-updates.ts';
import type { PinnedPlugin } from '../../lambdas/shared/manifest.ts';
import type { OfferedVersion } from '../../lambdas/shared/plugin-directory.ts';
import { readPluginUpdateInput } from '../../lambdas/shared/plugin-update-input.ts';

const pinned = (component: string, version: number, release = ''): PinnedPlugin => ({
  component,
  version,
  release,
  url: `https://archives/${component}-${version}.zip`,
  sha256: 'f'.repeat(64),
});
const offered = (version: number, release = '', changes: Partial<OfferedVersion> = {}): OfferedVersion => ({
  version,
  release,
  maturity: 200,
  url: `https://archives/${version}.zip`,
  md5: 'a1',
  ...changes,
});
const current = {
  moodle: { version: '5.3.1', sha256: null },
  plugins: [pinned('mod_exam', 2025010100, '2.4.1'), pinned('mod_yard', 2025050500)],
};

function decide(input: object, changes: Partial<Known> = {}) {
  const known: Known = {
    current,
    deployed: { moodle: { version: '5.3.1', sha256: null }, plugins: [] },
    imageChanged: false,
    offered: new Map(),
    added: new Map(),
    inDatabase: new Map([
      ['mod_exam', 2025010100],
      ['mod_yard', 2025050500],
    ]),
    ...changes,
  };
  const decision = decideUpdates(readPluginUpdateInput(input), known);
  return {
    ...decision,
    nothing: changesNothing(decision, known.current),
    changed: decision.changes.map(({ component, from, to, risk }) => `${component} ${from} → ${to} ${risk}`),
    out: decision.leftOut.map(({ component, why }) => `${component}: ${why}`),
    image: [...decision.kept, ...decision.chosen].map(({ component, version }) => `${component} ${version}`).sort(),
  };
}
const offering = (...versions: OfferedVersion[]) => ({ offered: new Map([['mod_exam', versions]]) });

describe('plugins', () => {
  it('stay as they are when nothing is offered', () => {
    expect(decide({})).toMatchObject({ nothing: true, changed: [], out: [], chosen: [], kept: current.plugins });
  });

  it('take the newest of several stable versions', () => {
    const found = decide({}, offering(offered(2025060100, '2.4.2'), offered(2026010100, '2.5.0'), offered(2025030100)));
    expect(found.changed).toEqual(['mod_exam 2025010100 → 2026010100 minor']);
    expect(found.image).toEqual(['mod_exam 2026010100', 'mod_yard 2025050500']);
    expect(found.chosen[0]?.checksum).toEqual({ algorithm: 'md5', digest: 'a1' });
    expect(found.out).toEqual([]);
  });

  it('take the newest that the risk allows, and say what was left out', () => {
    const found = decide(
      { maximumRisk: 'patch' },
      offering(offered(2025060100, 'v2.4.2'), offered(2026010100, '2.5.0')),
    );
    expect(found.changed).toEqual(['mod_exam 2025010100 → 2025060100 patch']);
    expect(found.out).toEqual(['mod_exam: 2026010100 is of the risk minor, and maximumRisk is patch']);
  });

  it.each([
    [{ maturity: 150 }, 'is not called stable'],
    [{ url: '' }, 'has no archive in the directory'],
    [{ md5: '' }, 'has no archive in the directory'],
  ])('leave out a version with %j, for an older one that is usable', (changes, why) => {
    const found = decide({}, offering(offered(2026010100, '', changes), offered(2025060100)));
    expect(found.changed).toEqual(['mod_exam 2025010100 → 2025060100 minor']);
    expect(found.out).toEqual([`mod_exam: 2026010100 ${why}`]);
  });

  it('that cannot come keep the version that they have, and the others come', () => {
    const offers = new Map(['mod_exam', 'mod_yard'].map((name) => [name, [offered(2026010100)]]));
    const stopped = [{ component: 'mod_exam', why: '2026010100: it needs local_y', stoppedBy: 'build' as const }];
    const found = decide({}, { offered: offers, stopped });
    expect(found.changed).toEqual(['mod_yard 2025050500 → 2026010100 minor']);
    expect(found.image).toEqual(['mod_exam 2025010100', 'mod_yard 2026010100']);
    expect(found.leftOut).toEqual(stopped);
    const deployed = { moodle: current.moodle, plugins: [pinned('mod_exam', 2026010100), pinned('mod_new', 1)] };
    const image = decide({ what: ['image'] }, { deployed, stopped: [...stopped, { component: 'mod_new', why: 'no' }] });
    expect(image).toMatchObject({ nothing: true, image: ['mod_exam 2025010100', 'mod_yard 2025050500'] });
  });

  it('are marked where the input names them: such a one comes, or the rollout fails', () => {
    const marks = (input: object, known: Partial<Known>) =>
      decide(input, known).changes.map(({ component, asked }) => `${component} ${asked ?? false}`);
    const offers = offering(offered(2026010100));
    expect(marks({}, offers)).toEqual(['mod_exam false']);
    expect(marks({ plugins: ['mod_exam'] }, offers)).toEqual(['mod_exam true']);
    const add = [{ component: 'mod_map' }];
    expect(marks({ add }, { ...offers, added: new Map([['mod_map', offered(1)]]) })).toEqual([
      'mod_exam false',
      'mod_map true',
    ]);
  });

  it('never go down', () => {
    expect(decide({}, offering(offered(2024010100), offered(2025010100))).nothing).toBe(true);
  });

  it('are only those that were asked for', () => {
    const offers = { offered: new Map(['mod_exam', 'mod_yard'].map((name) => [name, [offered(2026010100)]])) };
    expect(decide({ plugins: ['mod_yard'] }, offers).changed).toEqual(['mod_yard 2025050500 → 2026010100 minor']);
    expect(() => decide({ plugins: ['mod_zoo', 'mod_yard'] }, offers)).toThrow(
      expect.objectContaining({
        name: 'UpdateNotPossible',
        message: expect.stringMatching(/no plugin mod_zoo\. It has: mod_exam, mod_yard\./),
      }),
    );
  });

  it('are refused where the image would be older than the database', () => {
    const known = { inDatabase: new Map([['mod_yard', 2026060600]]) };
    expect(() => decide({}, { ...offering(offered(2026010100)), ...known })).toThrow(
      expect.objectContaining({
        name: 'OlderThanDatabase',
        message: expect.stringMatching(/mod_yard 2025050500, the database has 2026060600.*Nothing was changed/),
      }),
    );
  });
});

describe('plugins to add', () => {
  const byUrl = { component: 'mod_news', version: 2026010100, url: 'https://a/n.zip', sha256: 'e'.repeat(64) };

  it('come from the directory, or from their address with the given checksum', () => {
    const added = new Map([['mod_map', offered(2026020200, '1.0')]]);
    const found = decide({ add: [{ component: 'mod_map' }, byUrl] }, { added });
    expect(found.changed).toEqual(['mod_map null → 2026020200 minor', 'mod_news null → 2026010100 minor']);
    expect(found.chosen.map(({ checksum }) => checksum.algorithm)).toEqual(['md5', 'sha256']);
  });

  it('are left out where they are already, or as new', () => {
    const added = new Map([['mod_exam', offered(2024010100)]]);
    expect(decide({ add: [{ component: 'mod_exam' }] }, { added }).out).toEqual([
      'mod_exam: to be added, but there already (2025010100)',
    ]);
  });

  it('are one change with what the directory offers of the same plugin', () => {
    const added = new Map([['mod_exam', offered(2026060600, '3')]]);
    const found = decide(
      { add: [{ component: 'mod_exam', version: 2026060600 }] },
      { ...offering(offered(2026010100)), added },
    );
    expect(found.changed).toEqual(['mod_exam 2025010100 → 2026060600 minor']);
    expect(found.image).toEqual(['mod_exam 2026060600', 'mod_yard 2025050500']);
  });

  it('are refused without an archive, and where the database has newer data of theirs', () => {
    const added = new Map([['mod_map', offered(2026020200, '', { url: '' })]]);
    expect(() => decide({ add: [{ component: 'mod_map' }] }, { added })).toThrow(
      /offers no archive of mod_map\. Nothing/,
    );
    const inDatabase = new Map([['mod_news', 2027010100]]);
    expect(() => decide({ add: [byUrl] }, { inDatabase })).toThrow(/mod_news 2026010100, the database has 2027010100/);
  });
});

describe('plugins to remove', () => {
  it('leave the image, and are not updated', () => {
    const found = decide({ remove: ['mod_exam'] }, offering(offered(2026010100)));
    expect(found.changed).toEqual(['mod_exam 2025010100 → null minor']);
    expect(found.image).toEqual(['mod_yard 2025050500']);
  });

  it('are left out where they are not; but their data needs their code', () => {
    expect(decide({ remove: ['mod_zoo'], deleteData: ['mod_zoo'] }).out).toEqual([
      'mod_zoo: to be removed, but not in the image',
    ]);
    expect(() =>
      decide({ remove: ['mod_zoo'], deleteData: ['mod_zoo'] }, { inDatabase: new Map([['mod_zoo', 1]]) }),
    ).toThrow(expect.objectContaining({ name: 'UpdateNotPossible', message: expect.stringMatching(/Add it first/) }));
  });
});

describe('Moodle itself', () => {
  const core = (...releases: OfferedVersion[]) => ({ offered: new Map([['core', releases]]) });
  const withCore = { what: ['core'] };

  it('takes the newest stable release of its branch', () => {
    const found = decide(
      withCore,
      core(
        offered(1, '5.3.2 (Build: 20261201)'),
        offered(2, '5.3.4+ (Build: 20270201)'),
        offered(3, '5.3.3 (Build: 20270101)', { maturity: 150 }),
        offered(4, '5.4 (Build: 20270401)'),
      ),
    );
    expect(found.changed).toEqual(['core 5.3.1 → 5.3.2 core']);
    expect(found.moodle).toEqual({ version: '5.3.2', sha256: null });
  });

  it('does not go down, and stays where the risk is not allowed', () => {
    expect(decide(withCore, core(offered(1, '5.3 (Build: 20261001)'))).nothing).toBe(true);
    const deployed = { moodle: { version: '5.3.2', sha256: null }, plugins: [] };
    const found = decide({ what: ['image'] }, { deployed });
    expect(found.out).toEqual(['core: Moodle 5.3.2 is of the risk core, and maximumRisk is minor']);
    expect(found.moodle.version).toBe('5.3.1');
    const older = { moodle: { version: '5.3', sha256: null }, plugins: [] };
    expect(decide({ what: ['image'] }, { deployed: older }).out[0]).toMatch(/names Moodle 5\.3, which is older/);
  });

  it('comes with the checksum of the deploy where that names the same release', () => {
    const deployed = { moodle: { version: '5.3.2', sha256: 'd'.repeat(64) }, plugins: [] };
    const found = decide({ what: ['core', 'image'] }, { deployed, ...core(offered(1, '5.3.2 (Build: 20261201)')) });
    expect(found.moodle).toEqual(deployed.moodle);
  });

  it('of another branch is refused', () => {
    const deployed = { moodle: { version: '5.4', sha256: null }, plugins: [] };
    expect(() => decide({ what: ['image'] }, { deployed })).toThrow(
      /stay within the branch 5\.3\. Nothing was changed/,
    );
    expect(decide({}, { deployed }).nothing).toBe(true);
  });
});

describe('the deployed image/', () => {
  const imageChanged = true;

  it('is a change of its own, and brings its plugins', () => {
    const deployed = { ...current, plugins: [pinned('mod_exam', 2024010100), pinned('mod_zoo', 2026010100)] };
    const found = decide({ what: ['image'] }, { deployed, imageChanged });
    expect(found.changed).toEqual(['mod_zoo null → 2026010100 minor', 'image as built → as deployed deployed']);
    expect(found.image).toEqual(['mod_exam 2025010100', 'mod_yard 2025050500', 'mod_zoo 2026010100']);
  });

  it('comes with every new image, which the plan says', () => {
    expect(decide({}, { ...offering(offered(2026010100)), imageChanged }).changed).toEqual([
      'mod_exam 2025010100 → 2026010100 minor',
      'image as built → as deployed deployed',
    ]);
    expect(decide({}, { imageChanged }).nothing).toBe(true);
  });

  it('keeps no release that mends waiting: the operator has deployed it', () => {
    const known = { ...offering(offered(2025060100, '2.4.2'), offered(2026010100, '3.0')), imageChanged };
    const found = decide({ maximumRisk: 'patch' }, known);
    expect(found.changed).toEqual(['mod_exam 2025010100 → 2025060100 patch', 'image as built → as deployed deployed']);
    expect(found.out).toEqual([
      expect.stringMatching(/^mod_exam: 2026010100 is of the risk minor, and maximumRisk is patch/),
    ]);
    expect(decide({ maximumRisk: 'patch' }, { ...offering(offered(2026010100, '3.0')), imageChanged }).nothing).toBe(
      true,
    );
  });
});

it.each([
  ['2.4.1', '2.4.3', 'patch'],
  ['v2.4.1', '2.4.1.5', 'patch'],
  ['2.4.1', '2.5.0', 'minor'],
  ['2.4.1', '3.4.1', 'minor'],
  ['2.4', '2.4.1', 'minor'],
  ['', '', 'minor'],
  ['4.5-r1', '4.5-r2', 'minor'],
])('from %j to %j is %s', (from, to, risk) => {
  expect(riskOf(from, to)).toBe(risk);
});

it('orders releases as Moodle names them', () => {
  expect(['5.3.10', '5.3', '5.3.2', '5.10', '5.3.1'].sort(compareReleases)).toEqual([
    '5.3',
    '5.3.1',
    '5.3.2',
    '5.3.10',
    '5.10',
  ]);
});
