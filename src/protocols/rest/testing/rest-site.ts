/** The API on stores in memory, for tests: real HTTP on a free port, with DAV and the pages beside
 *  it. Every answer is held against the OpenAPI document. */
import { ActivityFeed, BlockUploads, FolderVerify, FolderZips } from '../../../files/index.ts';
import { CloudSite, PASSWORD, ask } from '../../nextcloud/testing/cloud-site.ts';
import type {
  Answer, AskOptions, SiteOptions, SiteParts,
} from '../../nextcloud/testing/cloud-site.ts';
import {
  MemoryIdempotencyStore,
} from '../idempotency/stores/memory/memory-idempotency-store.ts';
import type { Webhooks } from '../../../webhooks/index.ts';
import type { Administration } from '../administration.ts';
import { restServer } from '../rest-app.ts';
import { RESOURCES } from '../rest-routes.ts';
import { Contract } from './contract.ts';

export { PASSWORD, START_MS } from '../../nextcloud/testing/cloud-site.ts';

export interface JsonAnswer extends Answer {
  /** The body, when it is JSON. */
  json: Json;
}

/** What tests read of an answer; the contract has checked its shape. */
export type Json = any;

export interface RestAskOptions extends AskOptions {
  /** Sent as JSON. */
  json?: unknown;
}

export class RestSite {
  readonly cloud: CloudSite;
  readonly contract: Contract;
  readonly idempotency: MemoryIdempotencyStore;

  private constructor(parts: Pick<RestSite, 'cloud' | 'contract' | 'idempotency'>) {
    this.cloud = parts.cloud;
    this.contract = parts.contract;
    this.idempotency = parts.idempotency;
  }

  static async open(options: SiteOptions & {
    administration?: (site: SiteParts) => Administration;
    webhooks?: (site: SiteParts) => () => Webhooks | undefined;
  } = {}): Promise<RestSite> {
    const idempotency = new MemoryIdempotencyStore();
    let contract: Contract | undefined;
    const cloud = await CloudSite.open({
      ...options,
      moreRoutes(parts) {
        const { files, content } = parts;
        const { handler, document } = restServer({
          ...parts, idempotency, zips: new FolderZips({ files, content }),
          folderVerify: new FolderVerify({ files }),
          activity: new ActivityFeed(parts),
          blocks: new BlockUploads(parts),
          administration: options.administration?.(parts),
          webhooks: options.webhooks?.(parts),
        }, RESOURCES);
        contract = new Contract(document);
        return [{ prefix: '/api/', name: 'rest', handler }];
      },
    });
    if (contract === undefined) throw new Error('the site asked for no routes');
    return new RestSite({ cloud, contract, idempotency });
  }

  get port(): number {
    return this.cloud.server.port;
  }

  close(): Promise<void> {
    return this.cloud.close();
  }

  /** One request below /api/v1, as Anna unless `auth` says otherwise. */
  async ask(method: string, path: string, options: RestAskOptions = {}): Promise<JsonAnswer> {
    const { json, headers = {}, body } = options;
    const auth = 'auth' in options ? options.auth : `anna:${PASSWORD}`;
    const answer = await ask({
      port: this.port, method, path: `/api/v1${path}`, auth,
      headers: { ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      body: json === undefined ? body : JSON.stringify(json),
    });
    this.contract.check(method, path, answer);
    const isJson = /json/.test(String(answer.headers['content-type'])) && answer.text !== '';
    return { ...answer, json: isJson ? JSON.parse(answer.text) as Json : undefined };
  }

  /** Stores a file in the root or, with `at`, in the folder with that id; answers its node. */
  async put(name: string, text: string, at?: string): Promise<Json> {
    const folder = at ?? await this.rootId();
    const answer = await this.ask(
      'PUT', `/nodes/${folder}/children/${encodeURIComponent(name)}/content`, { body: text },
    );
    if (answer.status !== 201 && answer.status !== 200) throw new Error(answer.text);
    return answer.json;
  }

  async folder(name: string, at?: string): Promise<Json> {
    const { json, status, text } = await this.ask(
      'POST', `/nodes/${at ?? await this.rootId()}/children`, { json: { kind: 'folder', name } },
    );
    if (status !== 201) throw new Error(text);
    return json;
  }

  /** Headers of a new token with these scopes. */
  async tokenFor(user: string, scopes: readonly string[]): Promise<Record<string, string>> {
    const { identity } = this.cloud;
    const caller = await identity.authenticateBasic({
      user, password: PASSWORD, address: '127.0.0.1',
    });
    const { token } = await identity.apiTokens.create(caller, { label: 'of a test', scopes });
    return { Authorization: `Bearer ${token}` };
  }

  /** Does something while Anna's folder is renamed, and another one put in its place, right after
   *  the first look at where it is. */
  async whileReplaced<T>(folder: Json, act: () => Promise<T>): Promise<T> {
    const { files } = this.cloud;
    const find = files.findById.bind(files);
    let isDone = false;
    files.findById = async (...args) => {
      const found = await find(...args);
      if (!isDone && String(found?.node.id) === folder.id) {
        isDone = true;
        await this.ask('PATCH', `/nodes/${folder.id}`, { json: { name: `${folder.name} away` } });
        await this.folder(folder.name);
      }
      return found;
    };
    try {
      return await act();
    } finally {
      files.findById = find;
    }
  }

  async rootId(): Promise<string> {
    const { json } = await this.ask('GET', '/nodes/by-path?path=/');
    return (json as { id: string }).id;
  }
}

