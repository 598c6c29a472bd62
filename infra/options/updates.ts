import type { Contradiction } from './contradiction.ts';
import { oneOf, text, yesNo, zeroOr } from './option-kinds.ts';

/** When plugins and Moodle are brought up to date by themselves, and how far they may go. */
export const updateOptions = {
  updateSchedule: text(
    /^(off|rate\([1-9]\d{0,3} (minutes?|hours?|days?)\)|cron\([0-9*?,/L#A-Z -]{11,100}\))$/,
    'off, or an EventBridge schedule in the option timeZone, for example cron(0 3 ? * SUN *) or rate(7 days)',
    {
      doc: 'When the rollout plugin-update starts by itself; off until you say when.',
      dev: 'off',
      prod: 'off',
    },
  ),
  updateWindowMinutes: zeroOr(1, 1440, {
    doc: 'Within how many minutes from that time on it starts, at a moment that EventBridge chooses; 0: at that time.',
    dev: 0,
    prod: 30,
  }),
  updateWhat: text(
    /^(plugins|core|image)(,(?!\1)(plugins|core|image))?(,(plugins|core|image))?$/,
    'one or more of plugins, core and image, separated by commas',
    {
      doc: 'What a scheduled update brings up to date: plugins, Moodle within its branch, a changed image/.',
      dev: 'plugins',
      prod: 'plugins',
    },
  ),
  updateMaximumRisk: oneOf(['patch', 'minor', 'core'], {
    doc: 'How far a scheduled update may go: releases that mend, any newer plugin, or also a newer Moodle.',
    dev: 'minor',
    prod: 'patch',
  }),
  updateApproval: yesNo({
    doc: 'Whether a scheduled update waits for a person before it touches the site.',
    dev: false,
    prod: false,
  }),
  pluginDirectoryUrl: text(/^https?:\/\/[^\s"'\\?#]{3,200}[^\s"'\\?#/]$/, 'an address without a slash at its end', {
    doc: "Moodle's plugin directory: its API, which Moodle itself asks for updates too.",
    dev: 'https://download.moodle.org/api/1.3',
    prod: 'https://download.moodle.org/api/1.3',
  }),
} as const;

export const updateContradictions: readonly Contradiction[] = [
  ({ updateWhat, updateMaximumRisk }) =>
    updateWhat.split(',').includes('core') && updateMaximumRisk !== 'core'
      ? `Option updateMaximumRisk cannot be ${updateMaximumRisk} with updateWhat=${updateWhat}. Allowed: core.`
      : undefined,
  ({ updateWhat, updateMaximumRisk }) =>
    updateWhat.split(',').includes('image') && updateMaximumRisk === 'patch'
      ? `Option updateMaximumRisk cannot be patch with updateWhat=${updateWhat}. Allowed: minor, core.`
      : undefined,
  ({ updateWhat }) =>
    new Set(updateWhat.split(',')).size < updateWhat.split(',').length
      ? `Option updateWhat cannot be ${updateWhat}. Allowed: each word once.`
      : undefined,
];
