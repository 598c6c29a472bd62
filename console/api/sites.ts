import {
  ListStateMachinesCommand,
  ListTagsForResourceCommand,
  type SFNClient,
  type StateMachineListItem,
} from '@aws-sdk/client-sfn';
import { rolloutOf } from '../model/next-step.ts';
import { PlainError } from './trouble.ts';

/** A state machine of a site. */
export interface Machine {
  readonly arn: string;
  readonly site: string;
  /** `install`, `plugin-update` or `hold`. */
  readonly name: string;
}

/** As infra/ tags them. */
const siteTag = 'moodle-lifecycle:site';
const nameTag = 'moodle-lifecycle:name';

/** How many tags are asked for at once, so that an account with many state machines is not throttled. */
const AT_ONCE = 5;

/** The state machines of all sites in the account and region, by their tags. */
export async function findMachines(client: SFNClient): Promise<Machine[]> {
  const candidates = await listCandidates(client);
  const machines: Machine[] = [];
  for (let index = 0; index < candidates.length; index += AT_ONCE) {
    const found = await Promise.all(candidates.slice(index, index + AT_ONCE).map((each) => readMachine(client, each)));
    machines.push(...found.flat());
  }
  return machines;
}

/** CloudFormation's names begin with ours, so that those of others need not be asked for their tags. */
async function listCandidates(client: SFNClient): Promise<StateMachineListItem[]> {
  const found: StateMachineListItem[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new ListStateMachinesCommand({ maxResults: 1_000, ...(nextToken === undefined ? {} : { nextToken }) }),
    );
    found.push(...(page.stateMachines ?? []).filter(({ name }) => rolloutOf(name ?? '') !== undefined));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

async function readMachine(client: SFNClient, { stateMachineArn: arn = '' }: StateMachineListItem): Promise<Machine[]> {
  const { tags = [] } = await client.send(new ListTagsForResourceCommand({ resourceArn: arn }));
  const tagged = (key: string) => tags.find((tag) => tag.key === key)?.value;
  const site = tagged(siteTag);
  const name = tagged(nameTag);
  return site === undefined || name === undefined ? [] : [{ arn, site, name }];
}

/**
 * The state machines of one site: the one that is named, or the only one there is.
 *
 * @param ask chooses among several; absent where nobody can be asked
 * @throws PlainError naming the sites that there are
 */
export async function machinesOfSite(
  machines: readonly Machine[],
  wanted: string | undefined,
  where: string,
  ask?: (sites: readonly string[]) => Promise<string>,
): Promise<Machine[]> {
  const sites = [...new Set(machines.map(({ site }) => site))].sort();
  if (sites.length === 0) {
    throw new PlainError(
      `No Moodle site is deployed to ${where}, or not in this region. Look at another with --region or --profile, or deploy one (README.md).`,
    );
  }
  if (wanted !== undefined && !sites.includes(wanted)) {
    throw new PlainError(`There is no site ${wanted} in ${where}. There is: ${sites.join(', ')}.`);
  }
  const [only] = sites;
  const site = wanted ?? (sites.length === 1 ? only : await ask?.(sites));
  if (site === undefined) {
    throw new PlainError(`There are several sites in ${where}. Say which one with --site: ${sites.join(', ')}.`);
  }
  return machines.filter((machine) => machine.site === site);
}
