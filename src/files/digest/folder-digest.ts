/**
 * One digest of a folder with all that is in it, which anybody can compute of another copy: the
 * names, which of them are folders, and the bytes. Times, permissions and versions are left out:
 * copies differ in those. docs/formats/folder-digest.md says it exactly.
 */
import { hash } from 'node:crypto';

/** Says by which rule a digest was made. */
const RULE = 'holdfast folder digest 1\n';
const PREFIX = 'hfd1-';

/** A direct member of a folder. */
export interface DigestMember {
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** Of a file's content, or of a folder by this very rule: SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
  /** Of a file's content; 0 for a folder. */
  readonly sizeBytes: number;
}

/** SHA-256 in lower-case hexadecimal. The members may come in any order. */
export function sha256OfFolder(members: readonly DigestMember[]): string {
  const lines = members.map(({ kind, name, sha256, sizeBytes }) => {
    // One name has one spelling here: some systems compose letters and accents, others do not.
    const bytes = Buffer.from(name.normalize('NFC'));
    const size = kind === 'file' ? ` ${sizeBytes}` : '';
    return { bytes, line: Buffer.from(`${kind} ${sha256}${size} ${bytes.length}:`) };
  });
  lines.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || Buffer.compare(a.line, b.line));
  const parts = lines.flatMap(({ bytes, line }) => [line, bytes, LINE_END]);
  return hash('sha256', Buffer.concat([Buffer.from(RULE), ...parts]), 'hex');
}

const LINE_END = Buffer.from('\n');

/** What is below a folder; the folder itself is not counted. */
export interface FolderVerdict {
  readonly files: number;
  readonly folders: number;
  readonly sizeBytes: number;
  /** As people compare it. */
  readonly digest: string;
}

/** Adds up what a walk from below finds. */
export class FolderTally {
  files = 0;
  folders = 0;
  sizeBytes = 0;

  add({ kind, sizeBytes }: Pick<DigestMember, 'kind' | 'sizeBytes'>): void {
    if (kind === 'folder') {
      this.folders += 1;
      return;
    }
    this.files += 1;
    this.sizeBytes += sizeBytes;
  }

  /** `sha256`: of the folder at the top. */
  verdict(sha256: string): FolderVerdict {
    const { files, folders, sizeBytes } = this;
    return { files, folders, sizeBytes, digest: `${PREFIX}${sha256}` };
  }
}
