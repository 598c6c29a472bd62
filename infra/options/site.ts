import { atLeast, branches, notRunInWords, phpVersions } from '../moodle-requirements.ts';
import { type ProfileName, profiles } from '../profiles.ts';
import type { Contradiction } from './contradiction.ts';
import { oneOf, optionalText, text, yesNo } from './option-kinds.ts';

const release = new RegExp(`^(${branches.join('|').replaceAll('.', '\\.')})(\\.\\d{1,2})?$`);

const profileNames = Object.keys(profiles) as ProfileName[];

/** Which site this is, and what Moodle it runs. */
export const siteOptions = {
  config: oneOf(['dev', 'prod'], {
    doc: 'Which of the two sets of defaults applies.',
    dev: 'dev',
    prod: 'prod',
  }),
  profile: oneOf(['none', ...profileNames], {
    doc: 'Option sets by the size of the site (infra/profiles.ts); options that are given beside it win.',
    dev: 'none',
    prod: 'none',
  }),
  site: text(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/, '2 to 20 lower-case letters, digits and hyphens, a letter first', {
    doc: 'The name of the site; it starts the names of its stacks and of its settings.',
    dev: 'demo',
    prod: 'moodle',
  }),
  region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region, for example eu-west-1', {
    doc: 'The AWS region of the site.',
    dev: 'eu-west-1',
    prod: 'eu-west-1',
  }),
  moodleVersion: text(release, `a release from ${branches[0]} to ${branches.at(-1)}, for example 5.3 or 5.3.1`, {
    doc: `The Moodle release that the image is built with (${notRunInWords}; tested.md has what was).`,
    dev: '5.3',
    prod: '5.3',
  }),
  moodleChecksum: optionalText(
    /^[0-9a-f]{64}$/,
    'the SHA-256 of the release archive, 64 lower-case hexadecimal digits',
    'The checksum that the Moodle archive must have; left out: the one that moodle.org publishes beside it.',
  ),
  phpVersion: oneOf(['8.2', '8.4'], {
    doc: 'The PHP of the image, each from its own Debian; it is checked against the Moodle release.',
    dev: '8.4',
    prod: '8.4',
  }),
  adminUser: text(/^[a-z0-9][a-z0-9_.-]{0,49}$/, '1 to 50 of a-z, 0-9, _, . and -', {
    doc: "The user name of Moodle's first administrator.",
    dev: 'admin',
    prod: 'admin',
  }),
  adminEmail: text(/^[^\s@,"']+@[^\s@,"']+\.[a-z]{2,63}$/i, 'an e-mail address', {
    doc: "The e-mail address of Moodle's first administrator.",
    dev: 'admin@example.com',
    prod: 'admin@example.com',
  }),
  siteFullName: text(/^[^\p{Cc}<>]{1,254}$/u, '1 to 254 characters without < and >', {
    doc: 'The full name of the site.',
    dev: 'Moodle',
    prod: 'Moodle',
  }),
  siteShortName: text(/^[^\p{Cc}<>]{1,100}$/u, '1 to 100 characters without < and >', {
    doc: 'The short name of the site.',
    dev: 'Moodle',
    prod: 'Moodle',
  }),
  language: text(/^[a-z]{2,3}(_[a-z0-9]+)*$/, 'a Moodle language code, for example en or pt_br', {
    doc: 'The language that Moodle is installed in.',
    dev: 'en',
    prod: 'en',
  }),
  keepData: yesNo({
    doc: 'Whether files and images outlive their stack, and the database is protected and leaves a final snapshot.',
    dev: false,
    prod: true,
  }),
} as const;

export const siteContradictions: readonly Contradiction[] = [
  ({ moodleVersion, phpVersion }) => {
    const [least, newest] = phpVersions(moodleVersion);
    return atLeast(phpVersion, least) && atLeast(newest, phpVersion)
      ? undefined
      : `Option phpVersion cannot be ${phpVersion} with moodleVersion=${moodleVersion}, which runs on PHP ${least} to ` +
          `${newest}. Allowed: ${phpVersion === '8.2' ? '8.4' : '8.2'}.`;
  },
];
