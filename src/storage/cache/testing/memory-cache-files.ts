import type { CacheFiles, FilePart } from '../cache-files.ts';

export type CacheCall = 'prepare' | 'list' | 'read' | 'write' | 'remove';

/** CacheFiles in memory, for tests: full, broken, slow or emptied at will. */
export class MemoryCacheFiles implements CacheFiles {
  /** Change it from outside: it is the folder. */
  readonly files = new Map<string, Buffer>();
  /** Called first by every method: throw or wait here to make the disk fail or hang. */
  onCall: (call: CacheCall) => void | Promise<void> = () => undefined;
  /** Writes beyond it fail with ENOSPC. */
  capacityBytes = Infinity;
  #exists = false;

  async prepare(): Promise<void> {
    await this.onCall('prepare');
    this.#exists = true;
  }

  async *list(): AsyncGenerator<string> {
    await this.onCall('list');
    this.#check();
    yield* [...this.files.keys()];
  }

  async read(name: string, parts: readonly FilePart[]): Promise<Buffer[]> {
    await this.onCall('read');
    const file = this.files.get(name);
    if (file === undefined) throw failure('ENOENT');
    return parts.map(({ position, lengthBytes }) => {
      return Buffer.from(file.subarray(position, position + lengthBytes));
    });
  }

  async write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    await this.onCall('write');
    this.#check();
    const bytes = Buffer.concat(pieces);
    if (this.sizeBytes + bytes.length > this.capacityBytes) throw failure('ENOSPC');
    this.files.set(name, bytes);
  }

  async remove(name: string): Promise<void> {
    await this.onCall('remove');
    this.files.delete(name);
  }

  get sizeBytes(): number {
    return [...this.files.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** As `rm -r` does to the folder. */
  removeFolder(): void {
    this.files.clear();
    this.#exists = false;
  }

  #check(): void {
    if (!this.#exists) throw failure('ENOENT');
  }
}

/** An error as the system gives it. */
export function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
