/** What was on the way when the page was left, so that it can go on afterwards. */
import type { UploadItem } from './upload-item.ts';

const KEY = 'holdfast-uploads';
const ITEMS_MAX = 500;

export type RememberedUpload = Pick<
  UploadItem,
  'id' | 'name' | 'folders' | 'parentId' | 'parentPath' | 'sizeBytes' | 'modifiedMs' | 'doneBytes'
  | 'choice' | 'resumeUrl'
>;

export function remember(items: readonly UploadItem[]): void {
  const kept = items.slice(0, ITEMS_MAX).map((item): RememberedUpload => ({
    id: item.id, name: item.name, folders: item.folders, parentId: item.parentId,
    parentPath: item.parentPath, sizeBytes: item.sizeBytes, modifiedMs: item.modifiedMs,
    doneBytes: item.resumeUrl === undefined ? 0 : item.doneBytes, choice: item.choice,
    resumeUrl: item.resumeUrl,
  }));
  try {
    if (kept.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(kept));
  } catch (error) {
    // A full or forbidden storage only costs the way back after a reload.
    if (!(error instanceof DOMException)) throw error;
  }
}

export function recall(): RememberedUpload[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.filter(isRemembered).slice(0, ITEMS_MAX) : [];
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return [];
    throw error;
  }
}

function isRemembered(value: unknown): value is RememberedUpload {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Partial<Record<keyof RememberedUpload, unknown>>;
  return typeof one.id === 'string' && typeof one.name === 'string'
    && typeof one.parentId === 'string' && typeof one.sizeBytes === 'number';
}
