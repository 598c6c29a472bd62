import { describe, expect, it } from 'vitest';
import { minutesUntilOpen, wallClock } from '../../lambdas/shared/maintenance-window.ts';
import schema from '../../lambdas/shared/plugin-update-input.schema.json' with { type: 'json' };
import { readPluginUpdateInput } from '../../lambdas/shared/plugin-update-input.ts';

describe('the input', () => {
  it('may be empty', () => {
    for (const input of [{}, null, undefined]) {
      expect(readPluginUpdateInput(input)).toEqual({
        what: ['plugins'],
        plugins: null,
        add: [],
        remove: [],
        deleteData: [],
        dryRun: false,
        approval: false,
        approvalHours: 24,
        maximumRisk: 'minor',
        maintenanceWindow: null,
        snapshotRetentionDays: 14,
        reason: 'plugin update',
      });
    }
  });

  it('has the defaults that the schema tells', () => {
    const defaults = Object.entries(schema.properties).flatMap(([name, property]) =>
      'default' in property ? [[name, property.default]] : [],
    );
    expect(defaults.length).toBeGreaterThan(4);
    expect(readPluginUpdateInput({})).toMatchObject(Object.fromEntries(defaults));
  });

  it('allows the risk core where it names core', () => {
    expect(readPluginUpdateInput({ what: ['plugins', 'core'] }).maximumRisk).toBe('core');
  });

  it.each([
    ['text', /the input must be object/],
    [[], /the input must be object/],
    [{ plugin: [] }, /plugin is not known/],
    [{ what: ['all'] }, /what\.0 is "all", not plugins or core or image/],
    [{ what: [] }, /what must NOT have fewer than 1 items/],
    [{ plugins: ['Mod X'] }, /plugins\.0 is "Mod X", which it cannot be/],
    [{ plugins: ['mod_exam; rm -rf /'] }, /plugins\.0/],
    [{ add: [{}] }, /add\.0 lacks component/],
    [
      { add: [{ component: 'mod_exam', url: 'https://a/x.zip' }] },
      /add\.0 has url, and needs sha256 with it.*needs version with it/,
    ],
    [
      { add: [{ component: 'mod_exam', url: 'file:///etc/passwd', version: 2026010100, sha256: 'a'.repeat(64) }] },
      /add\.0\.url/,
    ],
    [{ approvalHours: 169 }, /approvalHours must be <= 168/],
    [{ snapshotRetentionDays: 0 }, /snapshotRetentionDays must be >= 1/],
    [{ reason: 'two\nlines' }, /reason/],
    [{ maintenanceWindow: { start: '22:00', end: '24:00', timeZone: 'UTC' } }, /maintenanceWindow\.end is "24:00"/],
    [{ maintenanceWindow: { start: '22:00', end: '23:00', timeZone: '+02:00' } }, /not the name of a time zone/],
    [
      { maintenanceWindow: { start: '22:00', end: '23:00', timeZone: 'Europe/Nowhere' } },
      /not the name of a time zone/,
    ],
    [{ maintenanceWindow: { start: '22:00', end: '23:00' } }, /maintenanceWindow lacks timeZone/],
    [{ maintenanceWindow: { start: '22:00', end: '22:00', timeZone: 'UTC' } }, /has 0 minutes, and needs 15/],
    [{ maintenanceWindow: { start: '23:55', end: '00:05', timeZone: 'UTC' } }, /has 10 minutes, and needs 15/],
    [{ deleteData: ['mod_exam'] }, /deleteData names mod_exam, which remove does not/],
    [{ add: [{ component: 'mod_exam' }], remove: ['mod_exam'] }, /add and remove both name mod_exam/],
    [{ plugins: ['mod_exam'], remove: ['mod_exam'] }, /plugins and remove both name mod_exam/],
    [{ add: [{ component: 'mod_exam' }, { component: 'mod_exam' }] }, /add names mod_exam twice/],
    [{ what: ['core'], plugins: ['mod_exam'] }, /plugins is given, but what does not have plugins/],
    [{ what: ['core'], maximumRisk: 'minor' }, /which maximumRisk minor does not allow/],
    [{ remove: ['mod_exam'], maximumRisk: 'patch' }, /which maximumRisk patch does not allow/],
    [{ what: ['image'], maximumRisk: 'patch' }, /which maximumRisk patch does not allow/],
  ])('%j is refused', (input, why) => {
    expect(() => readPluginUpdateInput(input)).toThrow(
      expect.objectContaining({
        name: 'InputInvalid',
        message: expect.stringMatching(new RegExp(`${why.source}.*Nothing was touched`)),
      }),
    );
  });

  it('names everything that is wrong at once', () => {
    expect(() => readPluginUpdateInput({ dryRun: 'yes', approvalHours: 0, other: 1 })).toThrow(
      /other.*dryRun.*approvalHours/,
    );
  });
});

describe('a maintenance window', () => {
  const berlin = (start: string, end: string) => ({ start, end, timeZone: 'Europe/Berlin' });
  const until = (start: string, end: string, moment: string) => minutesUntilOpen(berlin(start, end), new Date(moment));

  it('opens and closes by the clock of its zone, in winter and in summer', () => {
    expect(until('02:00', '04:00', '2026-01-15T00:59:59Z')).toBe(1);
    expect(until('02:00', '04:00', '2026-01-15T01:00:00Z')).toBe(0);
    expect(until('02:00', '04:00', '2026-01-15T02:59:59Z')).toBe(0);
    expect(until('02:00', '04:00', '2026-01-15T03:00:00Z')).toBe(22 * 60);
    expect(until('02:00', '04:00', '2026-07-15T00:00:00Z')).toBe(0);
    expect(until('02:00', '04:00', '2026-07-15T02:00:00Z')).toBe(22 * 60);
  });

  it('goes over midnight', () => {
    expect(until('23:00', '01:00', '2026-01-15T22:30:00Z')).toBe(0);
    expect(until('23:00', '01:00', '2026-01-15T23:30:00Z')).toBe(0);
    expect(until('23:00', '01:00', '2026-01-16T00:00:00Z')).toBe(22 * 60);
    expect(until('23:00', '01:00', '2026-01-15T12:00:00Z')).toBe(10 * 60);
  });

  it('that the clocks jump over opens on the next day, and one that they repeat opens twice', () => {
    // 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC. 25 October 2026: 03:00 becomes 02:00, at the same time.
    for (let minute = 0; minute < 120; minute += 5) {
      const moment = new Date(Date.parse('2026-03-29T00:30:00Z') + minute * 60_000);
      expect(minutesUntilOpen(berlin('02:15', '02:45'), moment)).toBeGreaterThan(0);
    }
    expect(until('02:15', '02:45', '2026-03-30T00:20:00Z')).toBe(0);
    expect(until('02:15', '02:45', '2026-10-25T00:20:00Z')).toBe(0);
    expect(until('02:15', '02:45', '2026-10-25T01:20:00Z')).toBe(0);
  });

  it('tells midnight as 00:00', () => {
    expect(wallClock(new Date('2026-01-15T23:00:00Z'), 'Europe/Berlin')).toBe('00:00');
  });
});
