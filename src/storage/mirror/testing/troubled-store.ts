import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { MemoryBlockStore } from '../../backends/memory/memory-block-store.ts';
import type { Block } from '../../block.ts';

export type StoreCall = 'put' | 'get' | 'read' | 'find' | 'list';

/** A store in memory that loses and damages blocks, and is out of reach, at will. */
export class TroubledStore extends MemoryBlockStore {
  /** As if never put, until put again. */
  readonly lost = new Set<BlockId>();
  /** Found and listed, but not readable, until put again. */
  readonly damaged = new Set<BlockId>();
  readonly calls: Record<StoreCall, number> = { put: 0, get: 0, read: 0, find: 0, list: 0 };
  readonly listedAfter: (BlockId | undefined)[] = [];
  isDown = false;
  /** Called by every method that is not refused: throw or wait here. */
  onCall: (call: StoreCall, id?: BlockId) => void | Promise<void> = () => undefined;

  override async put(block: Block, signal?: AbortSignal): Promise<void> {
    await this.#enter('put', block.id);
    await super.put(block, signal);
    this.lost.delete(block.id);
    this.damaged.delete(block.id);
  }

  override async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    await this.#enter('get', id);
    if (this.lost.has(id)) throw new HoldfastError('not-found', 'test', 'There is no such block.');
    if (this.damaged.has(id)) throw new HoldfastError('corrupt', 'test', 'The block is damaged.');
    return super.get(id, signal);
  }

  override async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    await this.#enter('find', id);
    return this.lost.has(id) ? undefined : super.find(id);
  }

  override async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.listedAfter.push(after);
    await this.#enter('list');
    for await (const id of super.list(after)) if (!this.lost.has(id)) yield id;
  }

  override async read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    this.calls.read += 1;
    return super.read(id, offsetBytes, lengthBytes, signal); // It gets the whole block.
  }

  async ids(): Promise<BlockId[]> {
    const ids: BlockId[] = [];
    for await (const id of super.list()) if (!this.lost.has(id)) ids.push(id);
    return ids;
  }

  async #enter(call: StoreCall, id?: BlockId): Promise<void> {
    this.calls[call] += 1;
    if (this.isDown) {
      const message = 'The store cannot be reached. Try again later.';
      throw new HoldfastError('unavailable', 'test', message);
    }
    await this.onCall(call, id);
  }
}
