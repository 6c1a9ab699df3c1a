/** Real filers on this machine, on free ports and in folders of their own, for tests. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../../platform/index.ts';
import { FilerClient, type FilerClientOptions } from '../filer-client.ts';
import {
  FilerServer, type FilerFinding, type FilerRoot, type FilerServerOptions,
} from '../filer-server.ts';

export const CLUSTER_ID = '11111111-2222-4333-8444-555555555555';
export const COORDINATOR_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const KEY = Buffer.alloc(32, 'a key for tests');

/** What one test has started, and takes away again. */
export class FilerTrial {
  readonly findings: FilerFinding[] = [];
  readonly #folder: string;
  readonly #servers: FilerServer[] = [];
  readonly #clients: FilerClient[] = [];
  #roots = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async begin(): Promise<FilerTrial> {
    return new FilerTrial(await mkdtemp(join(tmpdir(), 'holdfast-filer-')));
  }

  /** An empty folder that may be adopted. */
  async root(): Promise<FilerRoot & { path: string }> {
    this.#roots += 1;
    const path = join(this.#folder, `disk-${this.#roots}`);
    await mkdir(path);
    return { path, adopt: 'if-empty' };
  }

  async serve(options: Partial<FilerServerOptions> = {}): Promise<FilerServer> {
    const server = await FilerServer.start({
      listen: { host: '127.0.0.1', port: 0 },
      roots: options.roots ?? [await this.root()],
      key: KEY, clusterId: CLUSTER_ID, filerId: randomUUID(),
      clock: systemClock, random: systemRandom,
      onFinding: (finding) => this.findings.push(finding),
      ...options,
    });
    this.#servers.push(server);
    return server;
  }

  clientOptions(server: FilerServer, options: Partial<FilerClientOptions>): FilerClientOptions {
    return {
      address: { host: '127.0.0.1', port: server.address.port },
      key: KEY, clusterId: CLUSTER_ID, coordinatorId: COORDINATOR_ID, epoch: 1,
      clock: systemClock, random: systemRandom, ...options,
    };
  }

  async connect(
    server: FilerServer,
    options: Partial<FilerClientOptions> = {},
  ): Promise<FilerClient> {
    const client = await FilerClient.connect(this.clientOptions(server, options));
    this.#clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#servers.map((server) => server.close()));
    await rm(this.#folder, { recursive: true });
  }
}
