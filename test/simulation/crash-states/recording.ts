/** Writes down every call that changes a disk, and every promise that was given meanwhile. */
import type { BlockId } from '../../../src/base/ids.ts';
import type { Witness } from '../../../src/base/witness.ts';
import type { OpenMode, VolumeFile, VolumeFiles }
  from '../../../src/storage/backends/local/volume-files.ts';

/** Files are told apart by the number of their creation: names change. */
export type DiskEvent = { readonly disk: number } & (
  | { readonly kind: 'create'; readonly name: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly position: number;
    readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'folder' });

export type Promised =
  | { readonly kind: 'stored'; readonly id: BlockId; readonly witness: Witness }
  | { readonly kind: 'unneeded'; readonly id: BlockId };

export type LogEvent = DiskEvent | Promised;

export class EventLog {
  readonly events: LogEvent[] = [];
  /** States before this event are looked at elsewhere. */
  from = 0;
  #files = 0;

  nextFile(): number {
    return this.#files++;
  }

  push(event: LogEvent): void {
    this.events.push(event);
  }
}

/** One disk, whose changes go into the log once they are done. */
export class RecordedFiles implements VolumeFiles {
  readonly #files: VolumeFiles;
  readonly #log: EventLog;
  readonly #disk: number;
  /** Which file a name means; shared by all programs that use the disk, one after the other. */
  readonly #numbers: Map<string, number>;

  constructor(
    files: VolumeFiles, log: EventLog, at: { disk: number; numbers: Map<string, number> },
  ) {
    this.#files = files;
    this.#log = log;
    this.#disk = at.disk;
    this.#numbers = at.numbers;
  }

  list(): Promise<string[]> {
    return this.#files.list();
  }

  prepare(): Promise<void> {
    return this.#files.prepare();
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    const opened = await this.#files.open(name, how);
    if (how === 'create') {
      const file = this.#log.nextFile();
      this.#numbers.set(name, file);
      this.#log.push({ disk: this.#disk, kind: 'create', name, file });
    }
    return this.#handle(opened, this.#numbers.get(name) ?? -1);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#files.rename(from, to);
    const file = this.#numbers.get(from);
    this.#numbers.delete(from);
    if (file !== undefined) this.#numbers.set(to, file);
    this.#log.push({ disk: this.#disk, kind: 'rename', from, to });
  }

  async remove(name: string): Promise<void> {
    await this.#files.remove(name);
    this.#numbers.delete(name);
    this.#log.push({ disk: this.#disk, kind: 'remove', name });
  }

  async syncFolder(): Promise<void> {
    await this.#files.syncFolder();
    this.#log.push({ disk: this.#disk, kind: 'folder' });
  }

  space(): ReturnType<VolumeFiles['space']> {
    return this.#files.space();
  }

  #handle(opened: VolumeFile, file: number): VolumeFile {
    const disk = this.#disk;
    const log = this.#log;
    const write = async (pieces: readonly Uint8Array[], position: number): Promise<void> => {
      const bytes = Buffer.concat(pieces);
      await opened.write([bytes], position);
      log.push({ disk, kind: 'write', file, position, bytes });
    };
    const sync = async (): Promise<void> => {
      await opened.sync();
      log.push({ disk, kind: 'sync', file });
    };
    return {
      size: () => opened.size(),
      read: (into, position) => opened.read(into, position),
      write,
      datasync: sync,
      sync,
      writeDurably: async (pieces, position) => {
        await write(pieces, position);
        await sync();
      },
      truncate: async (sizeBytes) => {
        await opened.truncate(sizeBytes);
        log.push({ disk, kind: 'truncate', file, sizeBytes });
      },
      close: () => opened.close(),
    };
  }
}
