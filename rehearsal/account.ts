import { cloudProviders, cloudServices } from './cloud.ts';
import { servicesOf } from './endpoint/dispatch.ts';
import { openEndpoint } from './endpoint/server.ts';
import type { Service } from './endpoint/service.ts';
import { prepareCertificates } from './machines/certificates.ts';
import { machineProviders, machineServices } from './machines/index.ts';
import { namesOf, pointOwnDns } from './machines/names.ts';
import { atReleaseOf } from './moodle/at-release.ts';
import type { MoodleSource } from './moodle/source.ts';
import { State } from './state.ts';
import { abortLeftExecutions, abortRunningExecutions, transitionsOf } from './states/execution.ts';
import { readAssembly } from './template/assembly.ts';
import { deployStack } from './template/deploy.ts';
import { type DeployedStack, deploymentOf } from './template/deployment.ts';
import type { ResourceProvider } from './template/provider.ts';
import type { World } from './world.ts';

export interface AccountOptions {
  /** Folder of everything that the rehearsal writes; what is there already is gone on from. Absolute. */
  readonly directory: string;
  /** Folder that `cdk synth` wrote. Absolute. */
  readonly cdkOut: string;
  readonly pace: number;
  readonly moodle: MoodleSource;
  /** Resource types besides AWS's software. Default: the machines, with their real processes. */
  readonly providers?: readonly ResourceProvider[];
  /** Services besides AWS's software. Default: those of the machines. */
  readonly services?: (world: World) => readonly Service[];
}

/** A make-believe AWS account on this computer. */
export interface Account {
  readonly world: World;
  /** For example `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** What an SDK client needs to speak to this account as its operator. */
  readonly clientConfiguration: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly stacks: ReadonlyMap<string, DeployedStack>;
  /** Values of the stacks' outputs by stack name and key. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** @throws Error when no deployed stack, or more than one, has that output */
  output(key: string): string;
  /** States entered and retries of an execution so far. @throws AwsError ExecutionDoesNotExist */
  transitions(executionArn: string): number;
  /** Deploys the stacks. @throws TemplateError for what the rehearsal does not know */
  start(): Promise<void>;
  /** Ends everything that was started. Can be called more than once. */
  close(): Promise<void>;
}

/** Any account number: nothing leaves this computer. */
const ACCOUNT_NUMBER = '111122223333';
const DEFAULT_REGION = 'eu-west-1';

/** @throws TemplateError for a cloud assembly that cannot be read */
export async function openAccount(options: AccountOptions): Promise<Account> {
  const assembly = atReleaseOf(readAssembly(options.cdkOut), options.moodle);
  const { certificateAuthorityFile } = await prepareCertificates(options.directory);
  const endpoint = await openEndpoint();
  const undo: (() => Promise<void> | void)[] = [() => endpoint.close()];
  const world: World = {
    account: ACCOUNT_NUMBER,
    region: assembly.region ?? DEFAULT_REGION,
    partition: 'aws',
    directory: options.directory,
    cloudAssembly: options.cdkOut,
    endpoint: endpoint.url,
    pace: options.pace,
    moodle: options.moodle,
    state: new State(`${options.directory}/state`),
    certificateAuthorityFile,
    scaled: (seconds) => (seconds * 1000) / options.pace,
    onClose: (work) => {
      undo.push(work);
    },
  };
  for (const service of [...cloudServices(world), ...(options.services ?? machineServices)(world)]) {
    servicesOf(world).set(service.signingName, service);
  }
  for (const provider of [...cloudProviders, ...(options.providers ?? machineProviders)]) {
    deploymentOf(world).providers.set(provider.type, provider);
  }
  const outputs = () => outputsOf(deploymentOf(world).stacks);
  return {
    world,
    endpoint: endpoint.url,
    clientConfiguration: {
      endpoint: endpoint.url,
      region: world.region,
      credentials: { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' },
    },
    stacks: deploymentOf(world).stacks,
    get outputs() {
      return outputs();
    },
    output: (key) => findOutput(outputs(), key),
    transitions: (executionArn) => transitionsOf(world, executionArn),
    async start() {
      abortLeftExecutions(world);
      endpoint.serve(world);
      for (const stack of assembly.stacks) await deployStack(world, stack);
      pointOwnDns(namesOf(world), (key) => valuesOf(outputs(), key)[0]);
    },
    async close() {
      // Before their functions' processes end, which would look like failures.
      abortRunningExecutions(world);
      for (let work = undo.pop(); work; work = undo.pop()) await work();
    },
  };
}

function outputsOf(stacks: ReadonlyMap<string, DeployedStack>): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...stacks].map(([stackName, stack]) => [
      stackName,
      Object.fromEntries(stack.outputs.map(({ key, value }) => [key, value])),
    ]),
  );
}

function valuesOf(outputs: Readonly<Record<string, Readonly<Record<string, string>>>>, key: string): string[] {
  return Object.values(outputs).flatMap((values) => values[key] ?? []);
}

function findOutput(outputs: Readonly<Record<string, Readonly<Record<string, string>>>>, key: string): string {
  const found = Object.entries(outputs).filter(([, values]) => Object.hasOwn(values, key));
  const [only] = found;
  if (found.length === 1 && only) return only[1][key] ?? '';
  const where = found.map(([stackName]) => stackName).join(', ');
  throw new Error(found.length === 0 ? `No stack has the output ${key}.` : `Several stacks have ${key}: ${where}.`);
}
