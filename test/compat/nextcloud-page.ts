/**
 * What Nextcloud's own client libraries find around them in a page: globals that the server's page
 * sets. Here they say where our server is and who has signed in.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { basic } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { REPOSITORY } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const HOME = join(REPOSITORY, 'test/servers/nextcloud-files/node_modules');

/** A file or folder, as the library shows it. */
export interface CloudNode {
  readonly type: 'file' | 'folder';
  readonly path: string;
  readonly source: string;
  readonly fileid: number;
  readonly size: number;
  readonly mime: string;
  readonly owner: string;
  readonly permissions: number;
  readonly mtime: Date;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The `webdav` package, as far as the tests call it. */
export interface WebdavClient {
  createDirectory(path: string): Promise<void>;
  deleteFile(path: string): Promise<void>;
  moveFile(from: string, to: string): Promise<void>;
  copyFile(from: string, to: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  stat(path: string): Promise<{ size: number; etag: string; lastmod: string }>;
  putFileContents(path: string, data: string, options?: object): Promise<boolean>;
  getFileContents(path: string, options: { format: 'text' }): Promise<string>;
  customRequest(path: string, options: { method: string; data: string }): Promise<Response>;
  getDirectoryContents(path: string, options: object): Promise<{ data: unknown[] }>;
  search(path: string, options: object): Promise<unknown>;
}

export interface DavLibrary {
  getClient(url: string, headers: Record<string, string>): WebdavClient;
  getRemoteURL(): string;
  getRootPath(): string;
  getDefaultPropfind(): string;
  getRecentSearch(sinceSeconds: number): string;
  getFavoriteNodes(options: { client: WebdavClient }): Promise<CloudNode[]>;
  resultToNode(found: unknown): CloudNode;
}

export interface UploadLibrary {
  getUploader(): {
    upload(path: string, file: File): Promise<{ status: number; isChunked: boolean }>;
  };
}

interface Axios {
  defaults: { adapter: string; baseURL: string; headers: { common: Record<string, string> } };
}

export interface CloudPage {
  readonly dav: DavLibrary;
  readonly upload: UploadLibrary;
  readonly client: WebdavClient;
}

/** The globals are those of the process: one page for a test file. */
export async function openCloudPage(server: TestServer, user: DavClient): Promise<CloudPage> {
  if (!existsSync(HOME)) {
    throw new Error('The library is not installed: run npm ci in test/servers/nextcloud-files');
  }
  const query = '/ocs/v2.php/cloud/capabilities?format=json';
  const { text } = await user.ask('GET', query, { headers: { 'OCS-APIRequest': 'true' } });
  const { ocs } = JSON.parse(text) as { ocs: { data: { capabilities: object } } };
  const head = { 'data-user': user.name, 'data-user-displayname': user.name };
  Object.assign(globalThis, {
    window: globalThis, location: new URL(server.url), localStorage: memoryStorage(),
    sessionStorage: memoryStorage(), _oc_webroot: '', _oc_capabilities: ocs.data.capabilities,
    document: {
      head: { dataset: { user: user.name, userDisplayname: user.name } }, readyState: 'complete',
      documentElement: { lang: 'en', dataset: {} }, cookie: '',
      querySelector: () => null, getElementById: () => null,
      addEventListener: () => undefined, removeEventListener: () => undefined,
      getElementsByTagName: () => [
        { getAttribute: (name: keyof typeof head) => head[name] ?? null },
      ],
    },
  });
  const Authorization = basic(user);
  const dav = await load<DavLibrary>('@nextcloud/files/dist/dav.mjs');
  const upload = await load<UploadLibrary>('@nextcloud/files/dist/upload.mjs');
  const { default: axios } = await load<{ default: Axios }>('@nextcloud/axios/dist/index.js');
  Object.assign(axios.defaults, { adapter: 'fetch', baseURL: server.url });
  axios.defaults.headers.common['Authorization'] = Authorization;
  return { dav, upload, client: dav.getClient(dav.getRemoteURL(), { Authorization }) };
}

function load<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(HOME, path)).href) as Promise<T>;
}

function memoryStorage(): object {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      kept.set(key, value);
    },
    removeItem: (key: string) => kept.delete(key),
  };
}
