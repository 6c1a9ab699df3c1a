/**
 * ROOT/fence.json: the highest epoch under which this disk was written, and by whom. A coordinator
 * that has been replaced and does not know it yet is refused, by this filer and by the next one
 * that the disk is put into.
 */
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { readJson, replaceJson } from './durable-json.ts';
import { isUuid, refused } from './handshake.ts';

const FILE = 'fence.json';
const FORMAT = 1;

export interface Writer {
  readonly epoch: number;
  readonly coordinatorId: string;
}

export class DiskFence {
  readonly #path: string;
  #writer: Writer | undefined;
  #raising: Promise<void> = Promise.resolve();

  private constructor(path: string, writer: Writer | undefined) {
    this.#path = path;
    this.#writer = writer;
  }

  /** @throws corrupt: the file is there and says nothing. */
  static async open(root: string): Promise<DiskFence> {
    const path = join(root, FILE);
    try {
      const found = await readJson(path);
      if (found === undefined) return new DiskFence(path, undefined);
      const { format, epoch, coordinatorId } = found;
      const isEpoch = Number.isSafeInteger(epoch) && (epoch as number) >= 0;
      if (format === FORMAT && isEpoch && isUuid(coordinatorId)) {
        return new DiskFence(path, { epoch: epoch as number, coordinatorId });
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const message = 'The note of who may write to the disk is damaged. See the runbook of a disk.';
    throw new HoldfastError('corrupt', 'storage/DiskFence', message, { code: 'fence-damaged' });
  }

  /** The last writer; undefined for a disk that nobody has written to. */
  get writer(): Writer | undefined {
    return this.#writer;
  }

  /** Notes a new writer; durable once resolved. Calm when he is noted already.
   *  @throws conflict: a later epoch, or another writer with this one, is noted. */
  raise(writer: Writer): Promise<void> {
    const raised = this.#raising.then(async () => {
      const verdict = judge(writer, this.#writer);
      if (verdict === 'same') return;
      if (verdict !== 'newer') throw fenced(verdict);
      await replaceJson(this.#path, { format: FORMAT, ...writer });
      this.#writer = writer;
    });
    this.#raising = raised.catch(() => undefined);
    return raised;
  }

  /** @throws conflict: somebody else may write; unavailable: this writer was never noted here. */
  check(writer: Writer): void {
    const verdict = judge(writer, this.#writer);
    if (verdict === 'same') return;
    throw verdict === 'newer' ? refused('fence-failed') : fenced(verdict);
  }
}

export type Standing = 'same' | 'newer' | 'stale' | 'taken';

/** How `writer` stands towards the one who wrote last. */
export function judge(writer: Writer, last: Writer | undefined): Standing {
  if (last === undefined || writer.epoch > last.epoch) return 'newer';
  if (writer.epoch < last.epoch) return 'stale';
  return writer.coordinatorId === last.coordinatorId ? 'same' : 'taken';
}

export function fenced(standing: 'stale' | 'taken'): HoldfastError {
  if (standing === 'taken') return refused('epoch-taken');
  const message = 'Another coordinator has taken over: this one must not write any more. Stop it.';
  return new HoldfastError('conflict', 'storage/DiskFence', message, { code: 'stale-epoch' });
}
