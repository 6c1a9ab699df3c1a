/** One file on its way to the server. */
export type UploadState =
  | 'waiting' | 'sending' | 'paused' | 'conflict' | 'failed' | 'offline' | 'interrupted' | 'done'
  | 'skipped';

export type ConflictChoice = 'keep-both' | 'replace' | 'skip';

export interface UploadItem {
  readonly id: string;
  readonly name: string;
  /** Folders between `parentId` and the file that are made on the way; `` or `a/b`. */
  readonly folders: string;
  readonly parentId: string;
  readonly parentPath: string;
  readonly sizeBytes: number;
  /** Milliseconds, as the file says. */
  readonly modifiedMs: number;
  /** Gone after a reload, until somebody chooses the file again. */
  readonly file: File | undefined;
  readonly state: UploadState;
  readonly doneBytes: number;
  readonly reason: string | undefined;
  readonly choice: ConflictChoice | undefined;
  /** Where the server keeps what has arrived, so that only the rest has to be sent. */
  readonly resumeUrl: string | undefined;
}

export const ENDED: readonly UploadState[] = ['done', 'skipped'];

/** Whoever looks at the tray must do something about these. */
export const NEEDS_SOMEBODY: readonly UploadState[] = ['conflict', 'failed', 'interrupted'];

export interface UploadTotals {
  readonly count: number;
  readonly endedCount: number;
  readonly doneCount: number;
  readonly attentionCount: number;
  readonly pausedCount: number;
  readonly activeCount: number;
  readonly totalBytes: number;
  readonly doneBytes: number;
}

export function totalsOf(items: readonly UploadItem[]): UploadTotals {
  const count = (states: readonly UploadState[]): number => {
    return items.filter(({ state }) => states.includes(state)).length;
  };
  const counted = items.filter(({ state }) => state !== 'skipped');
  return {
    count: items.length, endedCount: count(ENDED), doneCount: count(['done']),
    attentionCount: count(NEEDS_SOMEBODY), pausedCount: count(['paused']),
    activeCount: count(['sending', 'waiting', 'offline']),
    totalBytes: counted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    doneBytes: counted.reduce((sum, item) => {
      return sum + (item.state === 'done' ? item.sizeBytes : item.doneBytes);
    }, 0),
  };
}

/** `a.txt` becomes `a (2).txt`. */
export function numberedName(name: string, number: number): string {
  const dot = name.lastIndexOf('.');
  const hasEnding = dot > 0 && name.length - dot <= 12;
  const [stem, ending] = hasEnding ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return `${stem} (${number})${ending}`;
}
