/** Open and ended uploads of the in-memory model. */
import type { UserId } from '../../../base/ids.ts';
import { EXPIRE_UPLOADS_MAX, UPLOADS_PER_USER_MAX, UPLOAD_PARTS_MAX } from '../../changes.ts';
import type { BeginUpload, PutPart } from '../../changes.ts';
import { compareCodePoints } from '../../dead-properties.ts';
import type { Instant, ManifestRecord, UploadPartRecord, UploadRecord } from '../../records.ts';
import { tooManyParts, tooManyUploads, uploadEnded, uploadMissing } from '../../refusals.ts';

interface MemoryUpload {
  record: UploadRecord;
  parts: Map<number, UploadPartRecord>;
}

function keyOf(owner: UserId, uploadId: string): string {
  return `${owner}\0${uploadId}`;
}

export class MemoryUploads {
  readonly #uploads = new Map<string, MemoryUpload>();

  find(owner: UserId, uploadId: string): UploadRecord | undefined {
    return this.#uploads.get(keyOf(owner, uploadId))?.record;
  }

  parts(owner: UserId, uploadId: string): UploadPartRecord[] {
    const parts = this.#uploads.get(keyOf(owner, uploadId))?.parts.values() ?? [];
    return [...parts].toSorted((a, b) => a.number - b.number);
  }

  /** Of all parts, by owner, upload and number. */
  manifests(): ManifestRecord[] {
    const uploads = [...this.#uploads.values()].map(({ record }) => record)
      .toSorted((a, b) => compareCodePoints(a.owner, b.owner)
        || compareCodePoints(a.uploadId, b.uploadId));
    return uploads.flatMap(({ owner, uploadId }) =>
      this.parts(owner, uploadId).map(({ number, manifest }) =>
        ({ place: { kind: 'part' as const, owner, uploadId, number }, manifest })));
  }

  /** Whether it is new. */
  begin({ owner, uploadId, totalBytes, at, expiresAt }: BeginUpload): boolean {
    const there = this.find(owner, uploadId);
    if (there !== undefined) {
      there.expiresAt = expiresAt;
      return false;
    }
    const open = [...this.#uploads.values()].filter(({ record }) =>
      record.owner === owner && record.result === undefined);
    if (open.length >= UPLOADS_PER_USER_MAX) throw tooManyUploads(UPLOADS_PER_USER_MAX);
    const record = { owner, uploadId, totalBytes, createdAt: at, expiresAt, result: undefined };
    this.#uploads.set(keyOf(owner, uploadId), { record, parts: new Map() });
    return true;
  }

  putPart({ owner, uploadId, number, name, sizeBytes, manifest, expiresAt }: PutPart): void {
    const upload = this.#uploads.get(keyOf(owner, uploadId));
    if (upload === undefined || upload.record.result !== undefined) throw uploadMissing();
    if (!upload.parts.has(number) && upload.parts.size >= UPLOAD_PARTS_MAX) {
      throw tooManyParts(UPLOAD_PARTS_MAX);
    }
    upload.parts.set(number, { number, name, sizeBytes, manifest: Uint8Array.from(manifest) });
    upload.record.expiresAt = expiresAt;
  }

  /** @throws not-found, conflict `upload-ended`. */
  checkOpen(owner: UserId, uploadId: string): void {
    const upload = this.find(owner, uploadId);
    if (upload === undefined) throw uploadMissing();
    if (upload.result !== undefined) throw uploadEnded();
  }

  end(owner: UserId, uploadId: string, result: UploadRecord['result']): void {
    const upload = this.#uploads.get(keyOf(owner, uploadId));
    if (upload === undefined) return;
    upload.record.result = result;
    upload.parts.clear();
  }

  drop(owner: UserId, uploadId: string): void {
    this.#uploads.delete(keyOf(owner, uploadId));
  }

  /** How many went. */
  expire(at: Instant): number {
    const expired = [...this.#uploads.values()].map(({ record }) => record)
      .filter((record) => record.expiresAt < at)
      .toSorted((a, b) => a.expiresAt - b.expiresAt || compareCodePoints(a.owner, b.owner)
        || compareCodePoints(a.uploadId, b.uploadId))
      .slice(0, EXPIRE_UPLOADS_MAX);
    for (const { owner, uploadId } of expired) this.drop(owner, uploadId);
    return expired.length;
  }
}
