import { hash } from 'node:crypto';
import type { UploadPartRecord } from '../../metadata/index.ts';

/** Of a part of an upload: equal parts have equal ones. In double quotes. */
export function etagText({ manifest }: Pick<UploadPartRecord, 'manifest'>): string {
  return `"${hash('sha256', manifest, 'hex').slice(0, 32)}"`;
}
