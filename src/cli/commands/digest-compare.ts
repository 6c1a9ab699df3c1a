/** What a server says of one of its folders, asked by its public API. */
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { systemClock } from '../../platform/index.ts';
import { ApiClient, ApiProblem } from '../../wire/client.ts';
import type { FolderVerdict } from '../../wire/client.ts';

const OP = 'cli/digest';
/** A server that reads a large folder byte by byte takes its time. */
const ASKING_MAX_MS = 24 * 3_600_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export interface ServerFolder {
  /** `https://files.example.org`, without a path. */
  readonly server: string;
  /** In the tree of whoever the token is of; "/" is all of it. */
  readonly path: string;
  /** Holds an API token with the scope files:read. */
  readonly tokenFile: string;
  /** The server reads every byte now, instead of trusting what it has noted. */
  readonly readsAll: boolean;
}

/** @throws invalid: an address or file that cannot be; unavailable: nobody answers; and what the
 *  server refuses. */
export async function verdictOfServer(
  { server, path, tokenFile, readsAll }: ServerFolder,
): Promise<FolderVerdict> {
  const baseUrl = originOf(server);
  const api = new ApiClient({ baseUrl, token: await tokenIn(tokenFile) });
  const late = new AbortController();
  const cancel = systemClock.after(ASKING_MAX_MS, () => late.abort());
  const { signal } = late;
  try {
    const { id } = await api.getNodeByPath({ path }, { signal });
    return await api.verifyFolder({ id, ...(readsAll && { bytes: 'read' }) }, { signal });
  } catch (error) {
    throw explained(error);
  } finally {
    cancel();
  }
}

/** @throws invalid: a token would go out in the clear, or it is no address. */
function originOf(server: string): string {
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/') {
    throw wrong('--server wants an address without a path, as https://files.example.org');
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw wrong('The token would travel in the clear: use https, or run this on the server.');
  }
  return url.origin;
}

async function tokenIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw wrong(`The file of the token cannot be read (${code}).`, cause);
  });
  const token = text.trim();
  if (/^hft_[\w-]{1,200}$/.test(token)) return token;
  throw wrong('The file holds no API token. Make one under "Account", "API tokens", that may read '
    + 'files, and put it there in one line.');
}

function explained(error: unknown): Error {
  if (error instanceof ApiProblem) {
    return new HoldfastError('precondition', OP, `The server refuses: ${error.message}`, {
      code: error.code, cause: error,
    });
  }
  // What fetch throws when nobody is there, or the connection breaks.
  if (!(error instanceof TypeError)) return error as Error;
  const message = 'The server cannot be reached. Look whether it runs and whether the address is '
    + 'right.';
  return new HoldfastError('unavailable', OP, message, { cause: error });
}

function wrong(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('invalid', OP, message, { cause });
}
