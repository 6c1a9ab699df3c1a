import { HoldfastError } from '../../base/errors.ts';
import type {
  DiskSpace, OpenMode, VolumeFile, VolumeFiles,
} from '../backends/local/volume-files.ts';
import {
  DIGEST_SPANS_MAX, type Disk, type SpanDigests, type TrashEntry,
} from './disk.ts';
import { FieldReader, FieldWriter } from './fields.ts';
import {
  checkRemovable, checkRenaming, checkServedName, FILE_NAME_CHARACTERS_MAX,
} from './file-names.ts';
import type { FilerConnection } from './filer-connection.ts';
import type { FilerLink } from './filer-link.ts';
import {
  LIST_NAMES_MAX, MESSAGE, OPEN_MODES, READ_BYTES_MAX, SYNC, WRITE_BYTES_MAX,
} from './messages.ts';
import { badFrame } from './frame-fault.ts';

const TRASH_NAME_CHARACTERS_MAX = FILE_NAME_CHARACTERS_MAX + 32;
const DIGEST_BYTES = 32;
/** More pages than any disk has files for: a filer that never comes to an end is not believed. */
const PAGES_MAX = 10_000;

/** Where a disk is now: its number on a connection. */
export interface Reach {
  link: FilerLink;
  connection: FilerConnection;
  number: number;
}

/** Answers how to reach the disk, or throws why it can't be reached. */
export type FindReach = (lane: 'write' | 'read') => Reach;

/** A Disk of a filer. Files for reading have a connection of their own, so that a long read does
 *  not hold up a write. */
export class FilerDisk implements Disk {
  readonly id: string;
  readonly files: VolumeFiles;
  readonly #reach: FindReach;

  constructor(id: string, reach: FindReach) {
    this.id = id;
    this.#reach = reach;
    this.files = new FilerVolumeFiles(reach);
  }

  async moveToTrash(name: string): Promise<string> {
    checkServedName(name);
    const { fields } = await ask(this.#reach('write'), MESSAGE.trash, (out) => out.text(name));
    const trashName = fields.text(TRASH_NAME_CHARACTERS_MAX);
    fields.end();
    return trashName;
  }

  async restoreFromTrash(trashName: string): Promise<void> {
    const known = trashName.slice(0, TRASH_NAME_CHARACTERS_MAX);
    await ask(this.#reach('write'), MESSAGE.restore, (out) => out.text(known));
  }

  async listTrash(): Promise<TrashEntry[]> {
    const entries = await askPages(this.#reach('read'), MESSAGE.listTrash, (fields) => {
      const trashName = fields.text(TRASH_NAME_CHARACTERS_MAX);
      const name = fields.text(FILE_NAME_CHARACTERS_MAX);
      const entry = { trashName, name, trashedAtMs: fields.u64(), sizeBytes: fields.u64() };
      return { last: trashName, entry };
    });
    return entries.sort((a, b) =>
      a.trashedAtMs - b.trashedAtMs || (a.trashName < b.trashName ? -1 : 1));
  }

  async digests(name: string, first: number, count: number): Promise<SpanDigests> {
    checkServedName(name);
    const wrong = !Number.isInteger(first) || first < 0 || first >= 2 ** 32 ||
      !Number.isInteger(count) || count < 1 || count > DIGEST_SPANS_MAX;
    if (wrong) {
      const message = `Ask for 1 to ${DIGEST_SPANS_MAX} spans of a file at once.`;
      throw new HoldfastError('invalid', 'storage/Disk.digests', message);
    }
    const { fields } = await ask(this.#reach('read'), MESSAGE.digests, (out) =>
      out.text(name).u32(first).u32(count));
    const sizeBytes = fields.u64();
    const found = fields.u32();
    if (found > count) throw badFrame('more digests than asked for');
    const digests = Array.from({ length: found }, () => Buffer.from(fields.raw(DIGEST_BYTES)));
    fields.end();
    return { digests, sizeBytes };
  }
}

class FilerVolumeFiles implements VolumeFiles {
  readonly #reach: FindReach;

  constructor(reach: FindReach) {
    this.#reach = reach;
  }

  async list(): Promise<string[]> {
    return askPages(this.#reach('write'), MESSAGE.list, (fields) => {
      const name = fields.text(FILE_NAME_CHARACTERS_MAX);
      return { last: name, entry: name };
    });
  }

  async prepare(): Promise<void> {
    await ask(this.#reach('write'), MESSAGE.prepare);
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    checkServedName(name);
    const reach = this.#reach(how === 'read' ? 'read' : 'write');
    const { fields } = await ask(reach, MESSAGE.open, (out) =>
      out.u8(OPEN_MODES.indexOf(how)).text(name));
    const handle = fields.u32();
    fields.end();
    return new FilerVolumeFile(reach, handle);
  }

  async rename(from: string, to: string): Promise<void> {
    checkRenaming(from, to);
    await ask(this.#reach('write'), MESSAGE.rename, (out) => out.text(from).text(to));
  }

  async remove(name: string): Promise<void> {
    checkRemovable(name);
    await ask(this.#reach('write'), MESSAGE.remove, (out) => out.text(name));
  }

  async syncFolder(): Promise<void> {
    await ask(this.#reach('write'), MESSAGE.syncFolder);
  }

  async space(): Promise<DiskSpace> {
    const { fields } = await ask(this.#reach('write'), MESSAGE.space);
    const space = { freeBytes: fields.u64(), totalBytes: fields.u64() };
    fields.end();
    return space;
  }
}

/** Open on one connection. When that is lost, so is the file: it must be opened again. */
class FilerVolumeFile implements VolumeFile {
  readonly #reach: Reach;
  readonly #handle: number;

  constructor(reach: Reach, handle: number) {
    this.#reach = reach;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    const { fields } = await this.#ask(MESSAGE.size);
    const sizeBytes = fields.u64();
    fields.end();
    return sizeBytes;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (into.length <= READ_BYTES_MAX) return this.#readPart(into, position);
    const parts: Promise<number>[] = [];
    for (let at = 0; at < into.length; at += READ_BYTES_MAX) {
      parts.push(this.#readPart(into.subarray(at, at + READ_BYTES_MAX), position + at));
    }
    // All of them: none may write into the caller's memory after we have answered.
    const outcomes = await Promise.allSettled(parts);
    let filled = 0;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason as Error;
      // The file may have grown meanwhile: what lies behind a gap does not count.
      if (filled % READ_BYTES_MAX === 0) filled += outcome.value;
    }
    return filled;
  }

  async #readPart(into: Uint8Array, position: number): Promise<number> {
    const { link, connection } = this.#reach;
    const fields = new FieldWriter().u32(this.#handle).u64(position).u32(into.length).done();
    const { data } = await link.request(connection, MESSAGE.read, fields, {
      answerBytes: into.length,
    });
    if (data.length > into.length) throw badFrame('more bytes than asked for');
    into.set(data);
    return data.length;
  }

  write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    return this.#write(pieces, position, SYNC.none);
  }

  writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void> {
    return this.#write(pieces, position, SYNC.data);
  }

  async datasync(): Promise<void> {
    await this.#ask(MESSAGE.sync, (out) => out.u8(SYNC.data));
  }

  async sync(): Promise<void> {
    await this.#ask(MESSAGE.sync, (out) => out.u8(SYNC.all));
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#ask(MESSAGE.truncate, (out) => out.u64(sizeBytes));
  }

  async close(): Promise<void> {
    // With its connection the filer has closed it.
    if (this.#reach.connection.failure !== undefined) return;
    await this.#ask(MESSAGE.close);
  }

  /** Part after part: the next one only when the one before is written. */
  async #write(pieces: readonly Uint8Array[], position: number, sync: number): Promise<void> {
    const messages = inMessages(pieces);
    let at = position;
    for (const [number, message] of messages.entries()) {
      const isLast = number === messages.length - 1;
      const fields = new FieldWriter().u32(this.#handle).u64(at)
        .u8(isLast ? sync : SYNC.none).done();
      const { link, connection } = this.#reach;
      await link.request(connection, MESSAGE.write, fields, { data: message });
      for (const { length } of message) at += length;
    }
  }

  #ask(type: number, put?: (out: FieldWriter) => void) {
    const { link, connection } = this.#reach;
    const out = new FieldWriter().u32(this.#handle);
    put?.(out);
    return link.request(connection, type, out.done());
  }
}

/** A request that begins with the number of the disk. */
function ask({ link, connection, number }: Reach, type: number, put?: (out: FieldWriter) => void) {
  const out = new FieldWriter().u32(number);
  put?.(out);
  return link.request(connection, type, out.done());
}

/** Everything, page by page, in the order of the filer. */
async function askPages<T>(
  reach: Reach,
  type: number,
  take: (fields: FieldReader) => { last: string; entry: T },
): Promise<T[]> {
  const all: T[] = [];
  let after = '';
  for (let page = 0; page < PAGES_MAX; page++) {
    const { fields } = await ask(reach, type, (out) => out.text(after));
    const more = fields.u8() === 1;
    const count = fields.u32();
    if (count > LIST_NAMES_MAX || (more && count === 0)) throw badFrame('a page of no use');
    for (let at = 0; at < count; at++) {
      const { last, entry } = take(fields);
      if (last <= after) throw badFrame('a page out of order');
      after = last;
      all.push(entry);
    }
    fields.end();
    if (!more) return all;
  }
  throw badFrame('pages without end');
}

/** At least one message, none above what a frame holds. */
function inMessages(pieces: readonly Uint8Array[]): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let message: Uint8Array[] = [];
  let room = WRITE_BYTES_MAX;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      if (room === 0) {
        messages.push(message);
        message = [];
        room = WRITE_BYTES_MAX;
      }
      const end = Math.min(piece.length, at + room);
      message.push(piece.subarray(at, end));
      room -= end - at;
      at = end;
    }
  }
  messages.push(message);
  return messages;
}
