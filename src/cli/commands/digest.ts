/** What the server says of a folder with `verify`, said of a folder on this machine:
 *  docs/formats/folder-digest.md. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { FolderTally, sha256OfFolder } from '../../files/index.ts';
import type { DigestMember, FolderVerdict } from '../../files/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { verdictOfServer } from './digest-compare.ts';

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
  summary: 'Count a folder on this machine and compute its digest, and compare it with a copy',
  details: 'A folder on the server has the same digest if it holds the same names and the same '
    + 'bytes: see "Compare with a copy" in its details on the web page, GET '
    + '/api/v1/nodes/{id}/verify, or name the server here, which is then asked. Times and '
    + 'permissions are not compared. No name and no content is sent anywhere.',
  flags: [
    { flags: '--server <url>', docs: 'compare with a folder there, as https://files.example.org' },
    { flags: '--path <path>', docs: 'which folder there (/)' },
    { flags: '--token-file <file>', docs: 'holds an API token that may read files' },
    { flags: '--read', docs: 'the server reads every byte of it now' },
  ],
  args: [{ name: '<folder>', docs: 'a folder on this machine' }],
  exits: {
    0: 'printed, and the same as on the server that was named',
    1: 'they differ, or something in it cannot be read or is neither file nor folder',
    2: 'wrong usage, such as a file in place of a folder',
  },
  async run(terminal, input) {
    const { args: [folder = ''] } = input;
    await checkFolder(folder);
    // Asked first: who mistypes an address should not wait for the folder.
    const there = await askServer(input);
    const walk: Walk = { tally: new FolderTally(), leftOut: 0 };
    const sha256 = await digestOf(Buffer.from(folder), { walk, terminal });
    const here = walk.tally.verdict(sha256);
    const lines = linesOf(here);
    for (const line of lines) terminal.print(line);
    if (walk.leftOut > 0) {
      terminal.complain(`Left out: ${walk.leftOut}. A copy without them has this digest.`);
    }
    const isSame = there === undefined || there.digest === here.digest;
    if (there !== undefined) {
      terminal.print(isSame ? 'The server has the same.' : 'THEY DIFFER. The server says:');
      if (!isSame) for (const line of linesOf(there)) terminal.print(line);
    }
    return isSame && walk.leftOut === 0 ? EXIT.done : EXIT.failed;
  },
};

function linesOf({ files, folders, sizeBytes, digest }: FolderVerdict): string[] {
  return [
    `files: ${files}`, `folders: ${folders}`, `bytes: ${sizeBytes}`, `digest: ${digest}`,
  ];
}

/** undefined: no server was named. @throws invalid: half of it was. */
async function askServer(input: CommandInput): Promise<FolderVerdict | undefined> {
  const [server, tokenFile] = [flagText(input, 'server'), flagText(input, 'token-file')];
  if (server === undefined && tokenFile === undefined) return undefined;
  if (server === undefined || tokenFile === undefined) {
    throw new HoldfastError('invalid', OP, '--server and --token-file belong together.');
  }
  return verdictOfServer({
    server, tokenFile, path: flagText(input, 'path') ?? '/',
    readsAll: input.flags['read'] === true,
  });
}

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
