/** Calls about files and folders. */
import { API, addressOf, call, newKey } from './http.ts';
import type { FileNode, Listing, Page, Sort, TrashItem, Version } from './shapes.ts';

export const PAGE_ITEMS_FIRST = 200;
export const PAGE_ITEMS = 1000;

const at = (id: string, rest = ''): string => `/nodes/${encodeURIComponent(id)}${rest}`;
const once = (): Readonly<Record<string, string>> => ({ 'Idempotency-Key': newKey() });

export function nodeByPath(path: string, signal?: AbortSignal): Promise<FileNode> {
  return call('GET', '/nodes/by-path', { query: { path }, ...(signal && { signal }) });
}

export interface ListOptions {
  readonly sort: Sort;
  readonly cursor?: string | undefined;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export function listChildren(
  id: string, { sort, cursor, limit, signal }: ListOptions,
): Promise<Listing> {
  const query = {
    cursor, sort: sort.field, order: sort.order,
    limit: limit ?? (cursor === undefined ? PAGE_ITEMS_FIRST : PAGE_ITEMS),
  };
  return call('GET', at(id, '/children'), { query, ...(signal && { signal }) });
}

export type OnConflict = 'fail' | 'rename';

export function createFolder(
  parentId: string, name: string, onConflict: OnConflict = 'fail',
): Promise<FileNode> {
  const body = { kind: 'folder', name, onConflict };
  return call('POST', at(parentId, '/children'), { body, headers: once() });
}

export interface NodeChange {
  readonly name?: string;
  readonly parentId?: string;
  readonly isFavorite?: boolean;
  readonly onConflict?: OnConflict;
}

export function changeNode(id: string, change: NodeChange): Promise<FileNode> {
  return call('PATCH', at(id), { body: change, headers: once() });
}

export interface CopyTarget {
  readonly parentId: string;
  readonly name?: string;
  readonly onConflict?: OnConflict;
}

export function copyNode(id: string, target: CopyTarget): Promise<FileNode> {
  return call('POST', at(id, '/copy'), { body: target, headers: once() });
}

export async function deleteNode(id: string): Promise<{ trashId?: string }> {
  const answer = await call<{ trashId?: string } | undefined>('DELETE', at(id), {
    headers: once(),
  });
  return answer ?? {};
}

export function restoreTrash(trashId: string): Promise<FileNode> {
  return call('POST', `/trash/${encodeURIComponent(trashId)}/restore`, { headers: once() });
}

export function listTrash(cursor?: string, signal?: AbortSignal): Promise<Page<TrashItem>> {
  return call('GET', '/trash', { query: { cursor, limit: 200 }, ...(signal && { signal }) });
}

export function dropTrash(trashId: string): Promise<void> {
  return call('DELETE', `/trash/${encodeURIComponent(trashId)}`, { headers: once() });
}

export function clearTrash(): Promise<void> {
  return call('DELETE', '/trash', { headers: once() });
}

export function listVersions(id: string, signal?: AbortSignal): Promise<Page<Version>> {
  return call('GET', at(id, '/versions'), { ...(signal && { signal }) });
}

export function restoreVersion(id: string, version: string): Promise<FileNode> {
  const path = at(id, `/versions/${encodeURIComponent(version)}/restore`);
  return call('POST', path, { headers: once() });
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
