import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { ApplicationAutoScalingClient, DescribeScalableTargetsCommand } from '@aws-sdk/client-application-auto-scaling';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient, type Service } from '@aws-sdk/client-ecs';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { Progress } from '../../console/progress.ts';
import { watchRollout } from '../../console/watch.ts';
import { parameterNames } from '../../lambdas/shared/parameters.ts';
import { namesOf } from '../../rehearsal/machines/names.ts';
import type { MoodleSource } from '../../rehearsal/moodle/source.ts';
import { readMoodle } from '../../rehearsal/moodle/version-file.ts';
import { openRehearsal, type Rehearsal } from '../../rehearsal/rehearse.ts';
import { findSecret, secretsOf } from '../../rehearsal/services/secrets-store.ts';
import { type Alteration, alterAssembly, assemblyFor, type Context } from '../support/assembly.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';

export interface SiteRequest {
  readonly context?: Context;
  readonly alter?: Alteration;
  /** Folder of an earlier site to go on from; it is not removed then. */
  readonly directory?: string;
  /** Folders of other releases of the real Moodle, by version. */
  readonly otherReleases?: ReadonlyMap<string, string>;
  /** How many times faster than on AWS its waits pass. */
  readonly pace?: number;
}

/** `npm run test:moodle` runs the rollouts on the Moodle of MOODLE_DIR; they are the same tests. */
const realMoodle = process.env.ROLLOUTS_ON_MOODLE;
const moodle: MoodleSource = realMoodle ? readMoodle(realMoodle) : { kind: 'stand-in' };
/** ROLLOUTS_ON_ENGINE puts one database behind every site, whatever a test asks for: a value of the option databaseEngine. */
const engine = process.env.ROLLOUTS_ON_ENGINE;
const engineOfTheRun: Context = engine
  ? { databaseEngine: engine, databaseAccess: engine.startsWith('aurora-') ? 'data-api' : 'network' }
  : {};
const usualPace = realMoodle ? 5 : 60;

const silentView = { update() {}, note() {}, trouble() {}, end() {}, close() {} };

export type Query = <Row extends object = Record<string, unknown>>(sql: string, values?: unknown[]) => Promise<Row[]>;

export interface Visit {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** A site on a rehearsal, with what a test needs to look behind it. */
export class Site {
  readonly rehearsal: Rehearsal;
  readonly #undo: (() => Promise<void> | void)[];

  private constructor(rehearsal: Rehearsal, undo: (() => Promise<void> | void)[]) {
    this.rehearsal = rehearsal;
    this.#undo = undo;
  }

  static async open(request: SiteRequest = {}): Promise<Site> {
    const { context = {}, alter, otherReleases, pace = usualPace } = request;
    const directory = request.directory ?? mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'site-'));
    const assembly = await assemblyFor({ site: 'demo', ...context, ...engineOfTheRun });
    const rehearsal = await openRehearsal({
      directory,
      moodle: otherReleases && moodle.kind === 'real' ? { ...moodle, otherReleases } : moodle,
      pace,
      cloudAssembly: alter ? alterAssembly(assembly, alter) : assembly,
    });
    const undo = [() => rehearsal.close()];
    if (!request.directory) undo.unshift(async () => rmSync(directory, { recursive: true, force: true }));
    return new Site(rehearsal, undo);
  }

  get account() {
    return this.rehearsal.account;
  }

  /** Where the site answers, for example `http://…` of the load balancer. */
  get address(): string {
    return this.account.output('SiteAddress');
  }

  /**
   * One request of somebody who trusts the rehearsal's authority, to wherever the site's name leads.
   *
   * @param localPort instead of that, a port of this computer
   */
  visit(path: string, headers: Record<string, string> = {}, localPort?: number): Promise<Visit> {
    const { protocol, hostname, port, host } = new URL(this.address);
    const secure = protocol === 'https:';
    const usual = Number(port || (secure ? 443 : 80));
    const { world } = this.account;
    const options = {
      host: '127.0.0.1',
      port: localPort ?? namesOf(world).localPort(hostname, usual) ?? usual,
      path,
      servername: hostname,
      ca: readFileSync(world.certificateAuthorityFile),
      agent: false,
      headers: { ...headers, host },
    };
    return new Promise((resolve, reject) => {
      const asked = (secure ? tlsRequest : request)(options, (answer) => {
        answer.resume();
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
      });
      asked.once('error', reject);
      asked.end();
    });
  }

  async startInstall(input: object = {}): Promise<string> {
    const { executionArn = '' } = await this.rehearsal.stepFunctions.send(
      new StartExecutionCommand({
        stateMachineArn: this.rehearsal.installStateMachineArn,
        input: JSON.stringify(input),
      }),
    );
    return executionArn;
  }

  /** Until the execution ends. */
  follow(executionArn: string, look?: (progress: Progress) => void): Promise<Progress> {
    return watchRollout(
      this.rehearsal.stepFunctions,
      executionArn,
      { ...silentView, update: look ?? (() => {}) },
      // Each look costs this computer what the rollout could use.
      { everyMilliseconds: look ? 150 : 400 },
    );
  }

  async install(input: object = {}): Promise<Progress> {
    return this.follow(await this.startInstall(input));
  }

  async startUpdate(input: object = {}): Promise<string> {
    const { executionArn = '' } = await this.rehearsal.stepFunctions.send(
      new StartExecutionCommand({
        stateMachineArn: this.account.output('PluginUpdateStateMachineArn'),
        input: JSON.stringify(input),
      }),
    );
    return executionArn;
  }

  async update(input: object = {}): Promise<Progress> {
    return this.follow(await this.startUpdate(input));
  }

  /** What Moodle's first administrator signs in with. */
  get administrator(): { username: string; password: string } {
    const secret = findSecret(this.account.world, this.account.output('AdministratorSecretArn'));
    const { username = '', password = '' } = parse(secret?.secretString);
    return { username, password };
  }

  /** The ECS service of the web nodes. */
  webService(): Promise<Service> {
    return this.service(this.account.output('WebServiceName'));
  }

  /** As DescribeServices tells it. */
  async service(name: string): Promise<Service> {
    const { services: [service] = [] } = await new ECSClient(this.account.clientConfiguration).send(
      new DescribeServicesCommand({ cluster: this.account.output('ClusterName'), services: [name] }),
    );
    if (!service) throw new Error(`There is no service ${name}.`);
    return service;
  }

  /** What rollouts and automatic scaling have set, as AWS has it. */
  async state() {
    const { desiredCount, taskDefinition = '' } = await this.webService();
    const ecs = new ECSClient(this.account.clientConfiguration);
    const { taskDefinition: deployed } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    const scaling = new ApplicationAutoScalingClient(this.account.clientConfiguration);
    const { ScalableTargets: [range] = [] } = await scaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }),
    );
    const ssm = new SSMClient(this.account.clientConfiguration);
    const { Parameters = [] } = await ssm.send(
      new GetParametersCommand({ Names: parameterNames.map((name) => `/moodle/demo/${name}`) }),
    );
    return {
      desired: desiredCount,
      taskDefinition,
      image: deployed?.containerDefinitions?.[0]?.image,
      range: [range?.MinCapacity, range?.MaxCapacity],
      parameters: Object.fromEntries(Parameters.map(({ Name, Value }) => [Name, Value])),
    };
  }

  /** The database, as its own secret says how to reach it. */
  get database() {
    const { world } = this.account;
    const secret = [...secretsOf(world).entries()]
      .map(([, secret]) => ({ secret, fields: parse(secret.secretString) }))
      .find(({ fields: { engine } }) => engine === 'postgres' || engine === 'mariadb');
    if (!secret) throw new Error('No secret has the credentials of the database.');
    const { engine, host = '', port, username = '', password = '', dbname = '' } = secret.fields;
    return {
      secretArn: secret.secret.arn,
      versionId: secret.secret.versionId,
      fields: secret.fields,
      isPostgres: engine === 'postgres',
      connection: {
        host,
        port: Number(port),
        user: username,
        password,
        database: dbname,
        ssl: { ca: readFileSync(world.certificateAuthorityFile, 'utf8') },
      },
    };
  }

  /** Rows of the site's database, read as its owner. JSON is text on MySQL. */
  query<Row extends object = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.connected((query) => query<Row>(sql, values));
  }

  /** Statements on one connection. */
  async connected<Value>(work: (query: Query) => Promise<Value>): Promise<Value> {
    const { isPostgres, connection } = this.database;
    const client = isPostgres ? new pg.Client(connection) : await createConnection(connection);
    if (client instanceof pg.Client) {
      await client.connect();
      return work(async (sql, values) => (await client.query(sql, values)).rows).finally(() => client.end());
    }
    return work(async <Row>(sql: string, values: unknown[] = []) => {
      const [rows] = await client.query(sql.replace(/\$\d+/g, '?'), values);
      return rows as Row[];
    }).finally(() => client.end());
  }

  async close(): Promise<void> {
    for (let work = this.#undo.pop(); work; work = this.#undo.pop()) await work();
  }
}

function parse(text: string | undefined): Record<string, string> {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
}
