/** Calls about files and folders that have something of their own beside `api`, and addresses. */
import { api } from './client.ts';
import { API, addressOf } from './http.ts';
import type { FileNode, Listing, Sort } from './shapes.ts';

export const PAGE_ITEMS_FIRST = 200;
export const PAGE_ITEMS = 1000;

const at = (id: string, rest: string): string => `/nodes/${encodeURIComponent(id)}${rest}`;

export function nodeByPath(path: string, signal?: AbortSignal): Promise<FileNode> {
  return api.getNodeByPath({ path }, { ...(signal && { signal }) });
}

export interface ListOptions {
  readonly sort: Sort;
  readonly cursor?: string | undefined;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** The first page is short, to be there at once. */
export function listChildren(
  id: string, { sort, cursor, limit, signal }: ListOptions,
): Promise<Listing> {
  return api.listChildren({
    id, sort: sort.field, order: sort.order,
    limit: limit ?? (cursor === undefined ? PAGE_ITEMS_FIRST : PAGE_ITEMS),
    ...(cursor !== undefined && { cursor }),
  }, { ...(signal && { signal }) });
}

export type OnConflict = 'fail' | 'rename';

export function createFolder(
  id: string, name: string, onConflict: OnConflict = 'fail',
): Promise<FileNode> {
  return api.makeFolder({ id, body: { kind: 'folder', name, onConflict } });
}

export function contentHref(id: string, disposition: 'inline' | 'attachment'): string {
  return addressOf(at(id, '/content'), { disposition });
}

export function versionHref(id: string, version: string): string {
  return `${API}${at(id, `/versions/${encodeURIComponent(version)}/content`)}`;
}

export function zipHref(id: string): string {
  return `${API}${at(id, '/zip')}`;
}

export function newContentPath(parentId: string, name: string): string {
  return at(parentId, `/children/${encodeURIComponent(name)}/content`);
}
