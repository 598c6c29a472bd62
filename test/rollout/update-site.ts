import { SFNClient } from '@aws-sdk/client-sfn';
import { decide } from '../../console/api/actions.ts';
import { RecordingReader } from '../../console/api/recording.ts';
import type { Progress } from '../../console/progress.ts';
import { readMoodle } from '../../rehearsal/moodle/version-file.ts';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import type { Context, TemplateResource } from '../support/assembly.ts';
import { Site } from './site.ts';

export interface UpdateSiteRequest {
  readonly context?: Context;
  /** What the plugin directory offers at first. */
  readonly releases?: readonly PluginRelease[];
  readonly pace?: number;
}

/** An installed site of two nodes on the real Moodle that the tests were given, with a plugin directory of its own. */
export class UpdateSite {
  readonly site: Site;
  readonly directory: PluginDirectory;

  private constructor(site: Site, directory: PluginDirectory) {
    this.site = site;
    this.directory = directory;
  }

  static async open({ context = {}, releases = [], pace = 6 }: UpdateSiteRequest = {}): Promise<UpdateSite> {
    const directory = await PluginDirectory.start(releases);
    const site = await Site.open({
      context: { ...context, pluginDirectoryUrl: directory.url },
      alter: nameMoodle,
      pace,
    });
    const updateSite = new UpdateSite(site, directory);
    const { failure } = await site.install({ nodes: 2 });
    if (!failure) return updateSite;
    await updateSite.close();
    throw new Error(`The site could not be installed: ${failure.error}: ${failure.cause}`);
  }

  /** Until the execution ends. */
  update(input: object = {}): Promise<Progress> {
    return this.site.update(input);
  }

  /** What a person decides on an execution that asks. */
  async decide(executionArn: string, approved: boolean, comment = 'by a test'): Promise<void> {
    const client = new SFNClient(this.site.account.clientConfiguration);
    const recording = await new RecordingReader(client, executionArn).read();
    await decide(client, recording, { approved, by: 'ada', comment });
  }

  /**
   * Ordinary users, with rows like those that Moodle makes for them.
   *
   * @returns what they sign in with: each has the administrator's password
   */
  async addUsers(number: number): Promise<readonly { username: string; password: string }[]> {
    const { username: administrator, password } = this.site.administrator;
    const users = Array.from({ length: number }, (_, index) => `visitor${index + 1}`);
    for (const name of users) {
      await this.site.query(
        `INSERT INTO mdl_user (auth, confirmed, mnethostid, username, password, firstname, lastname, email, lang, timecreated)
         SELECT 'manual', 1, mnethostid, $1, password, $2, 'Visitor', $3, lang, timecreated
           FROM mdl_user WHERE username = $4`,
        [name, name, `${name}@example.org`, administrator],
      );
    }
    return users.map((username) => ({ username, password }));
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.directory.close();
  }
}

/** Evidence of a phase; undefined when it did not succeed. */
export function evidenceOf(progress: Progress, phase: string): Record<string, unknown> | undefined {
  const found = progress.phases.find(({ title }) => title === phase);
  return found?.status === 'succeeded' ? (found.evidence as Record<string, unknown>) : undefined;
}

/** The release of the Moodle that the tests were given, as manifests name it. */
export function givenMoodle(): { readonly directory: string; readonly version: string; readonly branch: number } {
  const given = process.env.ROLLOUTS_ON_MOODLE;
  if (!given) throw new Error('These tests need a real Moodle: npm run test:moodle, with MOODLE_DIR.');
  const { directory, release, branch } = readMoodle(given);
  return { directory, version: /^\d+\.\d+(\.\d+)?/.exec(release)?.[0] ?? release, branch };
}

/** The templates as they are when that Moodle is what is deployed: updates are looked for within its branch. */
function nameMoodle(_: string, { Type, Properties }: TemplateResource): void {
  const variables =
    Type === 'AWS::Lambda::Function'
      ? Properties.Environment?.Variables
      : Type === 'AWS::CodeBuild::Project'
        ? Properties.Environment?.EnvironmentVariables?.find(({ Name }: { Name: string }) => Name === 'MOODLE_VERSION')
        : undefined;
  const name = Type === 'AWS::Lambda::Function' ? 'MOODLE_VERSION' : 'Value';
  if (variables?.[name] !== undefined) variables[name] = givenMoodle().version;
}
