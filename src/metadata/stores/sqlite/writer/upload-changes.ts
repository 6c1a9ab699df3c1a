/** The changes of uploads in pieces, on SQLite. */
import type { UserId } from '../../../../base/ids.ts';
import {
  EXPIRE_UPLOADS_MAX, UPLOADS_PER_USER_MAX, UPLOAD_PARTS_MAX,
} from '../../../changes.ts';
import type {
  BeginUpload, ChangeResult, DropUpload, ExpireUploads, PutPart,
} from '../../../changes.ts';
import { tooManyParts, tooManyUploads, uploadEnded, uploadMissing } from '../../../refusals.ts';
import type { NodeRow } from '../rows.ts';
import type { Statements } from '../statements.ts';
import type { Write } from './tree-changes.ts';
import type { SpaceState, TreeState } from './tree-state.ts';

const NOTHING: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };
/** One `expire-uploads` stops after this many parts, so as not to hold up other changes. */
const EXPIRE_PARTS_MAX = 20_000;

interface UploadKey {
  owner: UserId;
  uploadId: string;
}

function findUpload(
  sql: Statements, { owner, uploadId }: UploadKey,
): { partCount: number; ended: boolean } | undefined {
  const row = sql.getUpload.get(owner, uploadId) as [number, number] | undefined;
  return row && { partCount: row[0], ended: row[1] === 1 };
}

export function beginUpload({ sql }: TreeState, change: BeginUpload): Write {
  const { owner, uploadId, totalBytes, at, expiresAt } = change;
  if (findUpload(sql, change) !== undefined) {
    return () => {
      sql.updateUploadExpiry.run(expiresAt, owner, uploadId);
      return NOTHING;
    };
  }
  const [openCount] = sql.countOpenUploads.get(owner) as [number];
  if (openCount >= UPLOADS_PER_USER_MAX) throw tooManyUploads(UPLOADS_PER_USER_MAX);
  return () => {
    sql.insertUpload.run(owner, uploadId, totalBytes ?? null, at, expiresAt);
    return { ...NOTHING, created: true };
  };
}

export function putPart({ sql }: TreeState, change: PutPart): Write {
  const { owner, uploadId, number, name, sizeBytes, manifest, expiresAt } = change;
  const upload = findUpload(sql, change);
  if (upload === undefined || upload.ended) throw uploadMissing();
  const isNew = sql.findPart.get(owner, uploadId, number) === undefined;
  const { partCount } = upload;
  if (isNew && partCount >= UPLOAD_PARTS_MAX) throw tooManyParts(UPLOAD_PARTS_MAX);
  return () => {
    if (isNew) sql.insertPart.run(owner, uploadId, number, name, sizeBytes, manifest);
    else sql.updatePart.run(name, sizeBytes, manifest, owner, uploadId, number);
    sql.updateUploadParts.run(expiresAt, partCount + (isNew ? 1 : 0), owner, uploadId);
    return NOTHING;
  };
}

/** @throws not-found, conflict `upload-ended`. */
export function checkUploadOpen(sql: Statements, key: UploadKey): void {
  const upload = findUpload(sql, key);
  if (upload === undefined) throw uploadMissing();
  if (upload.ended) throw uploadEnded();
}

/** The upload has become a file: its parts go, and what it made stays on record. */
export function endUpload(
  sql: Statements, { owner, uploadId }: UploadKey,
  made: { space: SpaceState; row: NodeRow; created: boolean },
): void {
  const { space, row, created } = made;
  sql.deleteParts.run(owner, uploadId);
  sql.endUpload.run(space.id, row.id, row.mark, created ? 1 : 0, owner, uploadId);
}

export function dropUpload({ sql }: TreeState, { owner, uploadId }: DropUpload): Write {
  return () => {
    sql.deleteParts.run(owner, uploadId);
    sql.deleteUpload.run(owner, uploadId);
    return NOTHING;
  };
}

export function expireUploads({ sql, quotas }: TreeState, { at }: ExpireUploads): Write {
  return () => {
    quotas.dropExpired(at);
    const expired = sql.listExpiredUploads.all(at, EXPIRE_UPLOADS_MAX) as
      [string, string, number][];
    let count = 0;
    let partCount = 0;
    for (const [owner, uploadId, parts] of expired) {
      if (partCount >= EXPIRE_PARTS_MAX) break;
      sql.deleteParts.run(owner, uploadId);
      sql.deleteUpload.run(owner, uploadId);
      partCount += parts;
      count += 1;
    }
    return { ...NOTHING, count };
  };
}
