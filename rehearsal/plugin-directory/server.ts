import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { branchText } from '../moodle/version-file.ts';
import type { CoreRelease } from './core-release.ts';
import type { PluginRelease } from './release.ts';

const API = '/api/1.3';

/**
 * Moodle's plugin directory on the loopback interface: `updates.php` and `pluginfo.php` of its API 1.3, as Moodle's
 * own `core\update\checker` and `core\update\api` ask them, and the archives. What is offered can change while it runs.
 */
export class PluginDirectory {
  readonly #server: Server;
  readonly #releases: PluginRelease[];
  readonly #core: CoreRelease[];
  /** Paths that were asked for, with their query. */
  readonly asked: string[] = [];

  private constructor(server: Server, releases: readonly PluginRelease[], core: readonly CoreRelease[]) {
    this.#server = server;
    this.#releases = [...releases];
    this.#core = [...core];
  }

  /** @param port 0 takes any that is free */
  static async start(
    releases: readonly PluginRelease[] = [],
    core: readonly CoreRelease[] = [],
    port = 0,
  ): Promise<PluginDirectory> {
    const server = createServer((request, response) => {
      directory.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    const directory = new PluginDirectory(server, releases, core);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return directory;
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What stands in the place of https://download.moodle.org/api/1.3. */
  get url(): string {
    return this.#origin + API;
  }

  offer(release: PluginRelease): void {
    this.withdraw(release.component, release.version);
    this.#releases.push(release);
  }

  offerCore(release: CoreRelease): void {
    this.#core.push(release);
  }

  /** Stops offering a plugin, or one version of it. */
  withdraw(component: string, version?: number): void {
    const kept = this.#releases.filter(
      (one) => one.component !== component || (version !== undefined && one.version !== version),
    );
    this.#releases.splice(0, Infinity, ...kept);
  }

  downloadUrl({ component, version }: Pick<PluginRelease, 'component' | 'version'>): string {
    return `${this.#origin}/download/${component}_${version}.zip`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#origin);
    // Moodle posts its question, and takes the same parameters in the address.
    for (const [name, value] of new URLSearchParams(await bodyOf(request))) url.searchParams.set(name, value);
    this.asked.push(url.pathname + url.search);
    if (url.pathname === `${API}/updates.php`) return answerJson(response, 200, this.#updates(url.searchParams));
    if (url.pathname === `${API}/pluginfo.php`) {
      const info = this.#pluginInfo(url.searchParams);
      return answerJson(response, info ? 200 : 404, info ?? { status: 'ERROR', error: 'Plugin not found' });
    }
    const archive = this.#releases.find((release) => this.downloadUrl(release) === url.href)?.archive;
    if (!archive) return answerJson(response, 404, { status: 'ERROR', error: 'Not found' });
    response.writeHead(200, { 'content-type': 'application/zip', 'content-length': archive.length }).end(archive);
  }

  #updates(query: URLSearchParams) {
    const branch = query.get('branch') ?? '';
    const updates: Record<string, object[]> = {};
    const core = this.#core.filter(
      (one) => one.branch === branch && Number(one.version) > Number(query.get('version')),
    );
    if (core.length > 0) updates.core = core;
    for (const words of (query.get('plugins') ?? '').split(',')) {
      const [component = '', version] = words.split('@');
      const newer = this.#offered(component, branch).filter((release) => release.version > Number(version));
      if (newer.length > 0) updates[component] = newer.map((release) => this.#update(release));
    }
    return {
      status: 'OK',
      provider: `${this.url}/updates.php`,
      apiver: '1.3',
      timegenerated: Math.floor(Date.now() / 1000),
      ticket: 'rehearsal',
      forbranch: branch,
      forversion: query.get('version'),
      updates,
    };
  }

  #update(release: PluginRelease) {
    return {
      version: String(release.version),
      release: release.release,
      maturity: release.maturity,
      url: `https://moodle.org/plugins/${release.component}`,
      download: this.downloadUrl(release),
      downloadmd5: release.md5,
    };
  }

  /** `plugin=mod_x@2026010100` asks for that version, `plugin=mod_x&branch=4.5&minversion=…` for the best one. */
  #pluginInfo(query: URLSearchParams) {
    const [component = '', version] = (query.get('plugin') ?? '').split('@');
    const known = this.#releases.filter((release) => release.component === component);
    if (known.length === 0) return undefined;
    const found = version
      ? known.find((release) => release.version === Number(version))
      : this.#offered(component, query.get('branch') ?? '')
          .filter((release) => release.version >= Number(query.get('minversion') ?? 0))
          .at(-1);
    return {
      status: 'OK',
      provider: `${this.url}/pluginfo.php`,
      apiver: '1.3',
      timegenerated: Math.floor(Date.now() / 1000),
      pluginfo: {
        id: 1,
        name: component,
        component,
        source: null,
        doc: null,
        bugs: null,
        discussion: null,
        version: found ? this.#versionInfo(found) : false,
      },
    };
  }

  #versionInfo(release: PluginRelease) {
    const [from, to] = release.supported ?? [0, 0];
    const branches = from === 0 ? [] : Array.from({ length: to - from + 1 }, (_, index) => branchText(from + index));
    return {
      id: 1,
      version: String(release.version),
      release: release.release,
      maturity: release.maturity,
      downloadurl: this.downloadUrl(release),
      downloadmd5: release.md5,
      vcssystem: null,
      vcssystemother: null,
      vcsrepositoryurl: null,
      vcsbranch: null,
      vcstag: null,
      supportedmoodles: branches.map((branch, index) => ({ version: 2000000000 + index, release: branch })),
    };
  }

  /** Releases for a branch such as “4.5”, oldest first. */
  #offered(component: string, branch: string): PluginRelease[] {
    const [major = 0, minor = 0] = branch.split('.').map(Number);
    const number = major * 100 + minor;
    return this.#releases
      .filter((release) => release.component === component)
      .filter(({ supported }) => !supported || (supported[0] <= number && number <= supported[1]))
      .sort((one, other) => one.version - other.version);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function answerJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}
