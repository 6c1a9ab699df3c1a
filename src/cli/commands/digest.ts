/** What the server says of a folder with `verify`, said of a folder on this machine:
 *  docs/formats/folder-digest.md. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { FolderTally, sha256OfFolder } from '../../files/index.ts';
import type { DigestMember } from '../../files/index.ts';
import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';

const OP = 'cli/digest';
/** As much is read at once. */
const READ_BYTES = 1024 * 1024;
const SLASH = Buffer.from('/');

interface Walk {
  readonly tally: FolderTally;
  /** Neither files nor folders, or of names that cannot be compared. */
  leftOut: number;
}

export const digestCommand: Command = {
  name: 'digest',
  summary: 'Count a folder on this machine and compute its digest, to compare it with a copy',
  details: 'A folder on the server has the same digest if it holds the same names and the same '
    + 'bytes: see "Verify" in its details on the web page, or GET /api/v1/nodes/{id}/verify. Times '
    + 'and permissions are not compared. Nothing is sent anywhere.',
  args: [{ name: '<folder>', docs: 'a folder on this machine' }],
  exits: {
    0: 'printed',
    1: 'something in it cannot be read, or is neither file nor folder',
    2: 'wrong usage, such as a file in place of a folder',
  },
  async run(terminal, { args: [folder = ''] }) {
    await checkFolder(folder);
    const walk: Walk = { tally: new FolderTally(), leftOut: 0 };
    const sha256 = await digestOf(Buffer.from(folder), { walk, terminal });
    const { files, folders, sizeBytes, digest } = walk.tally.verdict(sha256);
    terminal.print(`files: ${files}`);
    terminal.print(`folders: ${folders}`);
    terminal.print(`bytes: ${sizeBytes}`);
    terminal.print(`digest: ${digest}`);
    if (walk.leftOut === 0) return EXIT.done;
    terminal.complain(`Left out: ${walk.leftOut}. A copy without them has this digest.`);
    return EXIT.failed;
  },
};

/** @throws invalid: it is none. */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(error);
  });
  if (found === undefined) {
    const message = 'There is no such folder on this machine.';
    throw new HoldfastError('invalid', OP, message);
  }
  if (found.isDirectory()) return;
  const message = 'This is a file. Name the folder that it lies in: a digest is that of a whole '
    + 'folder.';
  throw new HoldfastError('invalid', OP, message, { code: 'not-folder' });
}

/** Paths are bytes: on some systems a name may be any of them. */
async function digestOf(
  folder: Buffer, work: { walk: Walk; terminal: Terminal },
): Promise<string> {
  const { walk, terminal } = work;
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' })
    .catch((cause: unknown) => {
      throw unreadable(cause);
    }) as unknown as Dirent<Buffer>[];
  const members: DigestMember[] = [];
  for (const entry of entries) {
    const path = Buffer.concat([folder, SLASH, entry.name]);
    const name = entry.name.toString('utf8');
    const isComparable = Buffer.from(name).equals(entry.name);
    if (!isComparable || (!entry.isDirectory() && !entry.isFile())) {
      walk.leftOut += 1;
      const reason = isComparable ? 'it is neither a file nor a folder' : 'its name is not UTF-8';
      terminal.complain(`Left out, for ${reason}: ${path.toString('utf8')}`);
      continue;
    }
    const member: DigestMember = entry.isDirectory()
      ? { name, kind: 'folder', sha256: await digestOf(path, work), sizeBytes: 0 }
      : { name, kind: 'file', ...await contentOf(path) };
    walk.tally.add(member);
    members.push(member);
  }
  return sha256OfFolder(members);
}

/** The size is that of what was read: the file may grow meanwhile. */
async function contentOf(path: Buffer): Promise<{ sha256: string; sizeBytes: number }> {
  const hasher = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
      hasher.update(piece as Buffer);
      sizeBytes += (piece as Buffer).length;
    }
  } catch (cause) {
    throw unreadable(cause);
  }
  return { sha256: hasher.digest('hex'), sizeBytes };
}

function unreadable(cause: unknown): HoldfastError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  const message = `Something in this folder cannot be read (${code}). Look whether it is there and `
    + 'whether you may read all of it.';
  return new HoldfastError('unavailable', OP, message, { cause, facts: { code } });
}
