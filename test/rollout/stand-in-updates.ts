import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { eventsOf } from '../../rehearsal/states/execution-store.ts';
import { Site } from './site.ts';

/** An installed site on the stand-in, whose updates come from a plugin directory of its own. */
export interface UpdatedSite {
  readonly site: Site;
  readonly directory: PluginDirectory;
  close(): Promise<void>;
}

export async function openUpdatedSite(releases: readonly PluginRelease[]): Promise<UpdatedSite> {
  const directory = await PluginDirectory.start(releases);
  const site = await Site.open({
    // Of the shared templates, instead of a synthesis for an address that changes with each run.
    alter: (_id, { Type, Properties }) => {
      const variables = Type === 'AWS::Lambda::Function' ? Properties.Environment?.Variables : undefined;
      if (variables?.PLUGIN_DIRECTORY_URL) variables.PLUGIN_DIRECTORY_URL = directory.url;
    },
  });
  const close = async () => {
    await site.close();
    await directory.close();
  };
  const { failure } = await site.install({ nodes: 1 });
  if (!failure) return { site, directory, close };
  await close();
  throw new Error(`The site could not be installed: ${failure.error}: ${failure.cause}`);
}

/** Lets waits pass so many times faster, those for a person too, until the returned function is called. */
export function hurry(site: Site, times: number): () => void {
  const { world } = site.account;
  const { scaled } = world;
  world.scaled = (seconds) => scaled(seconds) / times;
  return () => {
    world.scaled = scaled;
  };
}

/**
 * Stops an execution as soon as an attempt has failed with such words. It reads what the rehearsal itself has noted, since
 * the moment may be over before somebody who asks for the progress is told of it.
 */
export function stopAfter(site: Site, executionArn: string, words: string): void {
  const events = eventsOf(site.account.world, executionArn);
  const timer = setInterval(() => {
    const found = events.values.some(
      ({ type, details }) => type === 'LambdaFunctionFailed' && JSON.stringify(details).includes(words),
    );
    if (!found) return;
    clearInterval(timer);
    void site.rehearsal.stepFunctions.send(new StopExecutionCommand({ executionArn }));
  }, 10).unref();
}
