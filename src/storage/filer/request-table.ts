/** What a filer does for each request. A handler reads fields, calls the disk, answers fields. */
import { FieldReader, FieldWriter } from './fields.ts';
import { FILE_NAME_CHARACTERS_MAX } from './file-names.ts';
import { badFrame } from './frame-fault.ts';
import type { Frame } from './frame.ts';
import type { LocalDisk } from './local-disk.ts';
import { LIST_NAMES_MAX, MESSAGE, OPEN_MODES, READ_BYTES_MAX, SYNC } from './messages.ts';
import type { OpenHandle, ServedSession } from './served-session.ts';

export interface Reply {
  fields: Buffer;
  data?: Buffer[];
}

type Handler = (session: ServedSession, fields: FieldReader, data: Buffer) => Promise<Reply>;

const EMPTY = Buffer.alloc(0);
const NOTHING: Reply = { fields: EMPTY };
const TRASH_NAME_CHARACTERS_MAX = FILE_NAME_CHARACTERS_MAX + 32;
const NOW = Promise.resolve();

const HANDLERS: Readonly<Record<number, Handler>> = {
  [MESSAGE.ping]: (_session, fields) => {
    fields.end();
    return Promise.resolve(NOTHING);
  },
  [MESSAGE.list]: async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    const after = fields.text(FILE_NAME_CHARACTERS_MAX);
    fields.end();
    return { fields: page(await disk.files.list(), after, (out, name) => out.text(name)) };
  },
  [MESSAGE.listTrash]: async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    const after = fields.text(TRASH_NAME_CHARACTERS_MAX);
    fields.end();
    const entries = new Map((await disk.listTrash()).map((entry) => [entry.trashName, entry]));
    return {
      fields: page([...entries.keys()], after, (out, trashName) => {
        const entry = entries.get(trashName);
        out.text(trashName).text(entry?.name ?? '');
        out.u64(entry?.trashedAtMs ?? 0).u64(entry?.sizeBytes ?? 0);
      }),
    };
  },
  [MESSAGE.prepare]: changeOfDisk(0, async (disk) => disk.files.prepare()),
  [MESSAGE.syncFolder]: changeOfDisk(0, async (disk) => disk.files.syncFolder()),
  [MESSAGE.rename]: changeOfDisk(2, async (disk, [from = '', to = '']) =>
    disk.files.rename(from, to)),
  [MESSAGE.remove]: changeOfDisk(1, async (disk, [name = '']) => disk.files.remove(name)),
  [MESSAGE.restore]: changeOfDisk(1, async (disk, [name = '']) => disk.restoreFromTrash(name)),
  [MESSAGE.trash]: changeOfDisk(1, async (disk, [name = '']) => disk.moveToTrash(name)),
  [MESSAGE.open]: async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    const how = OPEN_MODES[fields.u8()];
    if (how === undefined) throw badFrame('an unknown way to open a file');
    const name = fields.text(FILE_NAME_CHARACTERS_MAX);
    fields.end();
    const opening = (): Promise<number> => session.open(disk, name, how);
    // Whoever opens a file to write must find it as it stays: a write whose answer is not awaited
    // any more may still be under way.
    const number = await (how === 'read'
      ? opening() : session.change(disk, opening, session.settled(disk)));
    return { fields: new FieldWriter().u32(number).done() };
  },
  [MESSAGE.close]: async (session, fields) => {
    const number = fields.u32();
    fields.end();
    await session.close(number);
    return NOTHING;
  },
  [MESSAGE.size]: async (session, fields) => {
    const { file } = session.handle(fields.u32());
    fields.end();
    return { fields: new FieldWriter().u64(await file.size()).done() };
  },
  [MESSAGE.read]: async (session, fields) => {
    const { file } = session.handle(fields.u32());
    const position = fields.u64();
    const lengthBytes = fields.u32();
    fields.end();
    if (lengthBytes > READ_BYTES_MAX) throw badFrame('a read of too many bytes');
    const bytes = Buffer.allocUnsafeSlow(lengthBytes);
    const filled = await file.read(bytes, position);
    return { fields: EMPTY, data: [bytes.subarray(0, filled)] };
  },
  [MESSAGE.write]: write,
  [MESSAGE.sync]: (session, fields) => {
    const handle = session.handle(fields.u32());
    const all = fields.u8() === SYNC.all;
    fields.end();
    return changed(session, handle, () => (all ? handle.file.sync() : handle.file.datasync()));
  },
  [MESSAGE.truncate]: (session, fields) => {
    const handle = session.handle(fields.u32());
    const sizeBytes = fields.u64();
    fields.end();
    return changed(session, handle, () => handle.file.truncate(sizeBytes));
  },
  [MESSAGE.space]: async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    fields.end();
    const { freeBytes, totalBytes } = await disk.files.space();
    return { fields: new FieldWriter().u64(freeBytes).u64(totalBytes).done() };
  },
  [MESSAGE.digests]: async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    const name = fields.text(FILE_NAME_CHARACTERS_MAX);
    const first = fields.u32();
    const count = fields.u32();
    fields.end();
    const { digests, sizeBytes } = await disk.digests(name, first, count);
    const out = new FieldWriter().u64(sizeBytes).u32(digests.length);
    for (const digest of digests) out.raw(digest);
    return { fields: out.done() };
  },
};

/** @throws what the disk says; invalid, code `bad-frame`: the connection is of no use any more. */
export async function handleRequest(session: ServedSession, frame: Frame): Promise<Reply> {
  const handler = HANDLERS[frame.type];
  if (handler === undefined) throw badFrame('an unknown request');
  if (frame.data.length > 0 && frame.type !== MESSAGE.write) throw badFrame('data without use');
  return handler(session, new FieldReader(frame.fields), frame.data);
}

/** How many bytes the answer may be long, to bound what is in memory. */
export function replyBytesOf(frame: Frame): number {
  if (frame.type !== MESSAGE.read || frame.fields.length !== 16) return 0;
  return Math.min(READ_BYTES_MAX, frame.fields.readUInt32LE(12));
}

async function write(session: ServedSession, fields: FieldReader, data: Buffer): Promise<Reply> {
  const handle = session.handle(fields.u32());
  const position = fields.u64();
  const sync = fields.u8();
  fields.end();
  return changed(session, handle, async () => {
    if (sync === SYNC.data) await handle.file.writeDurably([data], position);
    else await handle.file.write([data], position);
    if (sync === SYNC.all) await handle.file.sync();
  });
}

async function changed(
  session: ServedSession,
  handle: OpenHandle,
  act: () => Promise<void>,
): Promise<Reply> {
  await session.changeInOrder(handle, act);
  return NOTHING;
}

/** A request that names a disk and `names` files. What the act answers is text. */
function changeOfDisk(
  names: number,
  act: (disk: LocalDisk, names: string[]) => Promise<string | void>,
): Handler {
  return async (session, fields) => {
    const disk = session.diskAt(fields.u32());
    const texts = Array.from({ length: names }, () => fields.text(TRASH_NAME_CHARACTERS_MAX));
    fields.end();
    const answer = await session.change(disk, () => act(disk, texts), NOW);
    return typeof answer === 'string' ? { fields: new FieldWriter().text(answer).done() } : NOTHING;
  };
}

/** Names in ascending order after `after`, as many as fit, and whether there are more. */
function page(
  names: readonly string[],
  after: string,
  put: (out: FieldWriter, name: string) => void,
): Buffer {
  const rest = names.filter((name) => name > after).sort();
  const shown = rest.slice(0, LIST_NAMES_MAX);
  const out = new FieldWriter().u8(rest.length > shown.length ? 1 : 0).u32(shown.length);
  for (const name of shown) put(out, name);
  return out.done();
}
