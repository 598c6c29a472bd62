import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SFNClient } from '@aws-sdk/client-sfn';
import { vi } from 'vitest';
import { decide } from '../../console/api/actions.ts';
import { RecordingReader } from '../../console/api/recording.ts';
import type { Progress } from '../../console/progress.ts';
import { numberOf, readMoodle } from '../../rehearsal/moodle/version-file.ts';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';
import { Site, type SiteRequest } from './site.ts';
import type { Login } from './visitors.ts';

export interface UpdateSiteRequest extends Pick<SiteRequest, 'context' | 'otherReleases' | 'alter' | 'pace'> {
  /** What the plugin directory offers at first. */
  readonly releases?: readonly PluginRelease[];
}

/** What a later deploy changes. */
export type Redeploy = Pick<SiteRequest, 'alter' | 'pace'>;

const usualPace = 6;

/** An installed site of two nodes on the real Moodle that the tests were given, with a plugin directory of its own. */
export class UpdateSite {
  readonly directory: PluginDirectory;
  readonly #request: SiteRequest & { readonly directory: string };
  #site: Site;

  private constructor(site: Site, directory: PluginDirectory, request: SiteRequest & { readonly directory: string }) {
    this.#site = site;
    this.directory = directory;
    this.#request = request;
  }

  static async open(asked: UpdateSiteRequest = {}): Promise<UpdateSite> {
    const { context, otherReleases, releases = [], alter = () => {}, pace = usualPace } = asked;
    const directory = await PluginDirectory.start(releases);
    const request = {
      context: { ...context, pluginDirectoryUrl: directory.url },
      directory: mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'updated-')),
      alter,
      pace,
      ...(otherReleases ? { otherReleases } : {}),
    };
    const updateSite = new UpdateSite(await Site.open(request), directory, request);
    const { failure } = await updateSite.site.install({ nodes: 2 });
    if (!failure) return updateSite;
    await updateSite.close();
    throw new Error(`The site could not be installed: ${failure.error}: ${failure.cause}`);
  }

  get site(): Site {
    return this.#site;
  }

  /** Ends the rehearsal and begins it again on the same data, until the site answers. */
  async deployAgain({ alter = () => {}, pace: faster }: Redeploy): Promise<void> {
    await this.#site.close();
    this.#site = await Site.open({
      ...this.#request,
      ...(faster ? { pace: faster } : {}),
      alter,
    });
    await vi.waitFor(
      async () => {
        const { status } = await this.#site.visit('/login/index.php');
        if (status !== 200) throw new Error(`The site answers HTTP ${status}.`);
      },
      { timeout: 240_000, interval: 500 },
    );
  }

  /** Until the execution ends. */
  update(input: object = {}): Promise<Progress> {
    return this.#site.update(input);
  }

  /** An update that asks for approval, and is answered as soon as it does. */
  async updateWithDecision(input: object, approved: boolean): Promise<Progress> {
    const executionArn = await this.#site.startUpdate({ ...input, approval: true });
    let decided: Promise<void> | undefined;
    const progress = await this.#site.follow(executionArn, ({ outcome }) => {
      if (outcome === 'asking') decided ??= this.decide(executionArn, approved);
    });
    if (!decided) throw new Error(`Nobody was asked: ${progress.failure?.cause}`);
    await decided;
    return progress;
  }

  /** What a person answers to an execution that asks. */
  async decide(executionArn: string, approved: boolean): Promise<void> {
    const client = new SFNClient(this.#site.account.clientConfiguration);
    const recording = await new RecordingReader(client, executionArn).read();
    await decide(client, recording, { approved, by: 'ada', comment: 'after breakfast' });
  }

  /**
   * Ordinary users, with rows like those that Moodle makes for them.
   *
   * @returns what they sign in with: each has the administrator's password
   */
  async addUsers(number: number): Promise<readonly Login[]> {
    const { username: administrator, password } = this.#site.administrator;
    const users = Array.from({ length: number }, (_, index) => `visitor${index + 1}`);
    for (const name of users) {
      await this.#site.query(
        `INSERT INTO mdl_user (auth, confirmed, mnethostid, username, password, firstname, lastname, email, lang, timecreated)
         SELECT 'manual', 1, mnethostid, $1, password, $2, 'Visitor', $3, lang, timecreated
           FROM mdl_user WHERE username = $4`,
        [name, name, `${name}@example.org`, administrator],
      );
    }
    return users.map((username) => ({ username, password }));
  }

  /** What an update changes: what runs, Moodle's versions and tables, and what is left of a rollout. */
  async whatUpdatesChange() {
    const rows = (sql: string) => this.#site.query(sql);
    return {
      ...(await this.#site.state()),
      core: await rows(
        `SELECT name, value FROM mdl_config WHERE name IN ('version', 'release', 'allversionshash') ORDER BY name`,
      ),
      plugins: await rows(`SELECT plugin, value FROM mdl_config_plugins WHERE name = 'version' ORDER BY plugin`),
      tables: await this.tables(),
      held: await rows('SELECT site FROM moodle_lifecycle.rollout_hold'),
      unfinished: await rows('SELECT site FROM moodle_lifecycle.update_run WHERE finished_at IS NULL'),
    };
  }

  /** Names of Moodle's tables that begin with these words. */
  async tables(words = ''): Promise<string[]> {
    const rows = await this.#site.query<{ name: string }>(
      `SELECT DISTINCT table_name AS name FROM information_schema.tables WHERE table_name LIKE $1 ORDER BY 1`,
      [`mdl_${words}%`],
    );
    return rows.map(({ name }) => name);
  }

  async close(): Promise<void> {
    await this.#site.close();
    await this.directory.close();
    rmSync(this.#request.directory, { recursive: true, force: true });
  }
}

/** Evidence of a phase; undefined when it did not succeed. */
// biome-ignore lint/suspicious/noExplicitAny: each phase has evidence of its own.
export function evidenceOf(progress: Progress, phase: string): any {
  const found = progress.phases.find(({ title }) => title === phase);
  return found?.status === 'succeeded' ? found.evidence : undefined;
}

/** The Moodle that the tests were given. */
export function givenMoodle(): { readonly directory: string; readonly version: string; readonly branch: number } {
  const given = process.env.ROLLOUTS_ON_MOODLE;
  if (!given) throw new Error('These tests need a real Moodle: npm run test:moodle, with MOODLE_DIR.');
  const { directory, release, branch } = readMoodle(given);
  return { directory, version: numberOf(release), branch };
}
