/**
 * What of a site a rollout can meet that an administrator switched, in words for docs/site-settings.md and as values for
 * site-settings.moodle.test.ts, which sets them on a real Moodle.
 *
 * Found by going through Moodle's administration (admin/settings/*.php), its commands (admin/cli), and what decides on a
 * request before a page does (lib/setup.php, the session manager, require_login, login/index.php, the plugins of its
 * authentication, second factor and policies), in 4.5.6 and 5.1.3; where 4.4.1 differs, the row says so.
 */
export const ranOn = ['4.5.6', '5.1.3'] as const;

/** What the rollouts do about a setting. */
export const effects = {
  none: 'not met',
  same: 'answered as before',
  kept: 'kept, and named in *Check the site*',
  rejected: 'rejected in *Check the site*',
} as const;

export type Group = 'form' | 'elsewhere' | 'sessions' | 'second factor' | 'appearance' | 'closed' | 'addresses';

export interface SiteSetting {
  /** As it is called in Moodle. */
  readonly setting: string;
  readonly effect: keyof typeof effects;
  readonly why: string;
  /** Settings that were made on a real Moodle at once. Without it, or `ran`, the row was read in Moodle's code. */
  readonly group?: Group;
  /** Names, values and components, as `admin/cli/cfg.php` takes them. */
  readonly values?: readonly (readonly [name: string, value: string, component?: string])[];
  /** Run by a test of its own. */
  readonly ran?: true;
}

const url = 'https://sso.example.edu/start?ticket=1';

export const siteSettings: Readonly<Record<string, readonly SiteSetting[]>> = {
  'Signing in': [
    {
      setting: '`alternateloginurl`',
      effect: 'kept',
      why: 'The login page leads elsewhere. Sessions are proved by one that a task opens for the rollout’s own user.',
      group: 'elsewhere',
      values: [['alternateloginurl', url]],
    },
    {
      setting:
        'An authentication plugin that leads visitors to an identity provider, from the login page or from any page',
      effect: 'kept',
      why: 'A redirect is an answer, for a page that a task makes too.',
      ran: true,
    },
    {
      setting: '`forcelogin`, `forceloginforprofiles`, `forceloginforprofileimage`',
      effect: 'same',
      why: 'The front page leads to the login page, before and after.',
      group: 'elsewhere',
      values: [
        ['forcelogin', '1'],
        ['forceloginforprofiles', '1'],
        ['forceloginforprofileimage', '1'],
      ],
    },
    {
      setting: '`autologinguests`, `guestloginbutton`, `opentowebcrawlers`',
      effect: 'same',
      why: 'A visitor is a guest; the rollout’s own user is not.',
      group: 'form',
      values: [
        ['autologinguests', '1'],
        ['guestloginbutton', '0'],
        ['opentowebcrawlers', '1'],
      ],
    },
    {
      setting:
        '`disablelogintoken`, `showloginform`, `authloginviaemail`, `auth_instructions`, `registerauth`, `enableloginrecaptcha`, `rememberusername`, `loginpageautofocus`, `loginpasswordtoggle`, `forgottenpasswordurl`, a login page of a theme',
      effect: 'same',
      why: 'On a site that is in use nobody fills in the form. After an unattended install the administrator signs in by Moodle’s own form, with or without its token; where the image brings another way in, that is said and the session alone proves the site.',
      group: 'form',
      values: [
        ['disablelogintoken', '1'],
        ['showloginform', '0'],
        ['authloginviaemail', '1'],
        ['auth_instructions', '<p>Ask the library.</p>'],
        ['registerauth', 'email'],
        ['enableloginrecaptcha', '1'],
        ['recaptchapublickey', 'x'],
        ['recaptchaprivatekey', 'x'],
        ['rememberusername', '0'],
        ['loginpageautofocus', '1'],
        ['forgottenpasswordurl', url],
      ],
    },
    {
      setting: '`authpreventaccountcreation`, `allowemailaddresses`, `denyemailaddresses`, `extendedusernamechars`',
      effect: 'none',
      why: 'The rollout’s own user is a row of the database, made and removed without Moodle’s forms and events.',
      group: 'form',
      values: [
        ['authpreventaccountcreation', '1'],
        ['allowemailaddresses', 'example.edu'],
      ],
    },
    {
      setting:
        '`lockoutthreshold`, `passwordpolicy`, `passwordpolicycheckonlogin`, password rotation, `displayloginfailures`',
      effect: 'none',
      why: 'No password is tried on a site that is in use: it would count as a failed login, or mail somebody.',
      group: 'form',
      values: [
        ['lockoutthreshold', '1'],
        ['passwordpolicycheckonlogin', '1'],
      ],
    },
  ],
  'After signing in': [
    {
      setting: 'Multi-factor authentication (`tool_mfa` with a factor)',
      effect: 'kept',
      why: 'Whoever signs in is led to the second factor first. The session is known before that.',
      group: 'second factor',
      values: [
        ['enabled', '1', 'tool_mfa'],
        ['enabled', '1', 'factor_email'],
        ['weight', '100', 'factor_email'],
        ['factor_order', 'email', 'tool_mfa'],
      ],
    },
    {
      setting: 'Site policy: `sitepolicy`, `sitepolicyhandler` (`tool_policy`)',
      effect: 'same',
      why: 'The rollout’s own user has agreed; nothing is written as an acceptance of a person.',
      group: 'second factor',
      values: [
        ['sitepolicyhandler', 'tool_policy'],
        ['sitepolicy', 'https://example.edu/policy'],
        ['sitepolicyguest', 'https://example.edu/policy'],
      ],
    },
    {
      setting: 'A custom profile field that every user must fill in',
      effect: 'kept',
      why: 'Whoever signs in is led to the profile first.',
      group: 'sessions',
    },
    {
      setting: '`enabledashboard`',
      effect: 'same',
      why: 'Where the dashboard is turned off, the page of users that is looked at is that of their preferences.',
      group: 'appearance',
      values: [['enabledashboard', '0']],
    },
    {
      setting: '`forcepasswordchange` of users',
      effect: 'none',
      why: 'A preference of a user, which the rollout’s own has not.',
    },
  ],
  Sessions: [
    {
      setting: '`sessiontimeout`, `sessiontimeoutwarning`',
      effect: 'same',
      why: 'Also of a minute: the session that a task opens counts as used until the rollout has followed it.',
      group: 'sessions',
      values: [
        ['sessiontimeout', '60'],
        ['sessiontimeoutwarning', '30'],
      ],
    },
    {
      setting: '`sessioncookie`, `sessioncookiepath`, `sessioncookiedomain`, `cookiesecure`, `cookiehttponly`',
      effect: 'same',
      why: 'The task that opens the session says by which cookie to come with it.',
      group: 'sessions',
      values: [
        ['sessioncookie', 'campus'],
        ['sessioncookiepath', '/'],
        ['sessioncookiedomain', 'moodle.test'],
        ['cookiesecure', '1'],
        ['cookiehttponly', '1'],
      ],
    },
    {
      setting: '`tracksessionip`',
      effect: 'same',
      why: 'The address that comes first with the session is its own.',
      group: 'sessions',
      values: [['tracksessionip', '1']],
    },
    {
      setting: '`limitconcurrentlogins`',
      effect: 'none',
      why: 'Counts when somebody signs in by a form.',
      group: 'sessions',
      values: [['limitconcurrentlogins', '1']],
    },
    {
      setting: '`dbsessions`, `session_handler_class`, `session_redis_…`',
      effect: 'none',
      why: 'Given by the image’s `config.php`; what the database says does not count.',
      group: 'sessions',
      values: [['dbsessions', '0']],
    },
    {
      setting: '`admin/cli/kill_all_sessions.php`, the session clean-up of cron',
      effect: 'same',
      why: 'Cron’s clean-up leaves the rollout’s session alone, on 4.4 too, where it ends the sessions of `nologin` users. Where somebody ends all sessions in the moment in which *Verify the site* follows its own, it follows another one.',
    },
  ],
  Maintenance: [
    {
      setting:
        '`maintenance_enabled` (*Site administration > Server > Maintenance mode*, `maintenance.php --enableold`)',
      effect: 'kept',
      why: 'Moodle’s 503 page is an answer. An update’s own maintenance comes and goes over it; it is on afterwards.',
      group: 'closed',
      values: [
        ['maintenance_enabled', '1'],
        ['maintenance_message', 'Back on Monday'],
      ],
    },
    {
      setting: '`admin/cli/maintenance.php --enable`',
      effect: 'rejected',
      why: 'No page, no session and no cron run can be proved while it stands. Begun during a rollout, it stays: a rollout ends only the maintenance that bears its mark. While an update’s own stands, Moodle takes `--enable` for done already and does nothing, and **`--disable` opens the site in the middle of the upgrade**: use neither meanwhile.',
      ran: true,
    },
    {
      setting: '`admin/cli/maintenance.php --enablelater`',
      effect: 'rejected',
      why: 'It would begin in the middle. Planned during a rollout, it begins when its time has come, after the upgrade at the earliest: a rollout’s own tasks neither begin it nor use it up.',
      ran: true,
    },
    {
      setting: '`upgraderunning` left by a killed upgrade, `adminsetuppending`',
      effect: 'rejected',
      why: 'The database is not that of a finished site. The message says what it is.',
    },
    {
      setting: '`upgrade.php --set-ui-upgrade-lock`, `upgradekey`',
      effect: 'same',
      why: 'An update sets the lock for itself and lifts it at its end, also one that was there before; the key is given by the image, and the command line does not ask for it.',
    },
  ],
  Cron: [
    {
      setting: '`cron_enabled` (`cron.php --disable`)',
      effect: 'kept',
      why: 'A cron that is switched off is not waited for, before or during a rollout.',
      group: 'closed',
    },
    {
      setting: 'Disabled scheduled tasks, failed ad hoc tasks, task locks, `cron_keepalive`, concurrency limits',
      effect: 'same',
      why: 'What counts is that a run of cron begins, which Moodle writes before it runs a task.',
    },
    {
      setting: 'A cron that did not run for half a day',
      effect: 'kept',
      why: 'It is not waited for.',
    },
    {
      setting: '`cronclionly`, `cronremotepassword`',
      effect: 'none',
      why: 'Cron runs on the command line of its own node.',
      group: 'closed',
      values: [
        ['cronclionly', '0'],
        ['cronremotepassword', 'x'],
      ],
    },
  ],
  'Who may come': [
    {
      setting: 'IP blocker: `allowedip`, `blockedip`, `allowbeforeblock`',
      effect: 'same',
      why: 'Moodle answers 200 to whom it shuts out. Where that is the rollout, its look at the front page says nothing; pages are proved by the tasks, which the IP blocker does not end, and sessions on every node.',
      group: 'addresses',
      values: [
        ['allowedip', '198.51.100.7'],
        ['allowbeforeblock', '1'],
      ],
    },
    {
      setting: '`getremoteaddrconf`, `reverseproxyignore`',
      effect: 'none',
      why: 'Given by the image’s `config.php`.',
      group: 'addresses',
      values: [['getremoteaddrconf', '0']],
    },
    {
      setting: '`geoip2file`, `iplookup`, `allowindexing`, `referrerpolicy`, `allowframembedding`',
      effect: 'none',
      why: 'They change headers and words of a page.',
      group: 'addresses',
      values: [
        ['allowindexing', '2'],
        ['referrerpolicy', 'no-referrer'],
        ['allowframembedding', '1'],
      ],
    },
  ],
  'Front page, appearance, language': [
    {
      setting: '`frontpage`, `frontpageloggedin`, `defaulthomepage`, `custommenuitems`',
      effect: 'same',
      why: 'A page, or a redirect to another.',
      group: 'appearance',
      values: [
        ['frontpage', ''],
        ['frontpageloggedin', ''],
        ['defaulthomepage', '0'],
        ['custommenuitems', 'Library|https://example.edu'],
      ],
    },
    {
      setting: '`customfrontpageinclude` of a file that is gone',
      effect: 'same',
      why: 'PHP’s warning goes to the log, or on the page. One that ends in an error is kept, and named.',
      group: 'appearance',
      values: [['customfrontpageinclude', '/opt/old/front.php']],
    },
    {
      setting: '`theme` of a theme that is gone, `allowuserthemes`, `themedesignermode`',
      effect: 'same',
      why: 'Moodle takes Boost in its place.',
      group: 'appearance',
      values: [
        ['theme', 'gone'],
        ['allowuserthemes', '1'],
        ['themedesignermode', '1'],
      ],
    },
    {
      setting:
        '`lang` of a language pack that is gone, `autolang`, `langlist`, language customisation, `allcountrycodes`',
      effect: 'same',
      why: 'Moodle takes English in its place.',
      group: 'appearance',
      values: [
        ['lang', 'xx'],
        ['autolang', '1'],
        ['langstringcache', '0'],
        ['allcountrycodes', 'DE,FR'],
      ],
    },
    {
      setting: '`additionalhtmlhead`, `additionalhtmltopofbody`, `additionalhtmlfooter`, also with a redirect in them',
      effect: 'same',
      why: 'They are text on a page; a browser follows it, a rollout does not.',
      group: 'appearance',
      values: [
        [
          'additionalhtmlhead',
          `<meta http-equiv="refresh" content="0; url=${url}"><script>location = '${url}'</script>`,
        ],
        ['additionalhtmltopofbody', '<div>'],
        ['additionalhtmlfooter', '</div></div>'],
      ],
    },
    {
      setting: 'Custom error pages (`ErrorDocument`, 404)',
      effect: 'none',
      why: 'The image’s nginx has none, and no rollout asks for a page that is not there.',
    },
  ],
  'Development and performance': [
    {
      setting: '`debug`, `debugdisplay`, `debugpageinfo`, `debugstringids`, `debugvalidators`, `perfdebug`',
      effect: 'same',
      why: 'Messages for developers are not displayed in a rollout’s tasks, and are no part of what a task or a node answers.',
      group: 'appearance',
      values: [
        ['debug', '32767'],
        ['debugdisplay', '1'],
        ['debugpageinfo', '1'],
        ['debugstringids', '1'],
        ['debugvalidators', '1'],
        ['perfdebug', '15'],
      ],
    },
    {
      setting: '`profilingenabled`, `cachejs`, `cachetemplates`, `langstringcache`, `yuicomboloading`, `forceclean`',
      effect: 'same',
      why: 'Pages take longer.',
      group: 'appearance',
      values: [
        ['profilingenabled', '1'],
        ['profilingallowall', '1'],
        ['cachejs', '0'],
        ['cachetemplates', '0'],
        ['forceclean', '1'],
      ],
    },
    {
      setting: 'Caches changed by hand (*Site administration > Plugins > Caching*)',
      effect: 'same',
      why: 'Each node writes its own cache configuration when it starts, from the lifecycle’s tables; changes by hand last until then.',
    },
    {
      setting: '`preventexecpath`, `disableupdateautodeploy`, `xsendfile`, paths of folders and programs',
      effect: 'none',
      why: 'Given by the image’s `config.php`.',
    },
    {
      setting: 'Read-only users and replicas of the database (`dboptions`)',
      effect: 'none',
      why: 'Only `config.php` can have them, and the image’s has none.',
    },
  ],
  'Everything else': [
    {
      setting:
        '`enablewebservices`, `messaging`, MNet (`mnet_dispatcher_mode`), `maxbytes`, `enablestats`, `usetags`, `enableblogs`, disabled plugins',
      effect: 'none',
      why: 'No rollout uses them.',
      group: 'closed',
      values: [
        ['enablewebservices', '1'],
        ['messaging', '0'],
        ['mnet_dispatcher_mode', 'strict'],
        ['maxbytes', '1024'],
        ['enablestats', '1'],
      ],
    },
    {
      setting: 'Outgoing mail (`smtphosts`, `noemailever`, `divertallemailsto`)',
      effect: 'none',
      why: 'Moodle sends nothing because of a rollout; the rollout’s own user gets no mail.',
    },
    {
      setting: 'Registration (`registrationpending`), update notifications',
      effect: 'none',
      why: 'Only administrators who open the administration meet them.',
    },
  ],
};

export const allSettings: readonly SiteSetting[] = Object.values(siteSettings).flat();

/** The values of one group, in the order of the rows. */
export const valuesOf = (group: Group) =>
  allSettings.filter((one) => one.group === group).flatMap(({ values = [] }) => [...values]);

/** The text of docs/site-settings.md. */
export function siteSettingsDocument(): string {
  const releases = ranOn.join(' and ');
  const tables = Object.entries(siteSettings).map(([heading, rows]) =>
    [
      `## ${heading}`,
      '',
      '| setting | the rollouts | why | |',
      '| --- | --- | --- | --- |',
      ...rows.map(
        ({ setting, effect, why, group, ran }) =>
          `| ${setting} | ${effects[effect]} | ${why} | ${group || ran ? 'run' : 'read'} |`,
      ),
      '',
    ].join('\n'),
  );
  return [introduction(releases), ...tables].join('\n');
}

const introduction = (releases: string) => `# Settings of a site that a rollout can meet

A rollout compares with what it found. *Check the site* looks at everything that *Verify the site* will look at, with the
code that serves then: the front page, the login page, the page that users see first, one session on every node, a page for
a visitor and one for the administrator, cron. What was there before is left as it is, and never fails a rollout.
What could not be proved afterwards is rejected before anything is changed.

In the tables:

- **${effects.none}**: nothing of a rollout depends on it.
- **${effects.same}**: pages or sessions are other than on a new site, and *Verify the site* takes that for what it is, also
  when an administrator switches it during the rollout.
- **${effects.kept}**: the same, and the plan says so in words, as \`keeps\`.
- **${effects.rejected}**: the rollout ends there with the reason, and nothing was changed.

“run”: the setting was made on a real Moodle ${releases} with two nodes, one that was started before and one after, and looked at
as the rollouts do (\`test/image/site-settings.moodle.test.ts\`). Where a row names several, the list says which of them were given a
value; the others were read. “read”: it was followed in Moodle's code only. A node never
refuses to serve because of what a page answers: the node that was started after each setting served.

The list is made from \`test/image/site-settings.ts\` by \`npm run docs\`.
`;
