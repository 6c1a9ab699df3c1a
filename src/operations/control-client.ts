/** Asks the server that runs on a data directory to do something. */
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { faultFromData, HoldfastError } from '../base/errors.ts';
import type { FaultData } from '../base/errors.ts';
import { nodeHttp } from '../platform/index.ts';
import { readControlNote } from './control-note.ts';
import type { ControlNote } from './control-note.ts';
import type { PlainRecord } from './operation.ts';

const OP = 'operations/ControlClient';
const GONE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

export interface Order {
  readonly operation: string;
  readonly input: PlainRecord;
  readonly onProgress?: (news: PlainRecord) => void;
  readonly signal?: AbortSignal;
}

/**
 * Resolves with the result, or with undefined when no server runs there that takes orders.
 * @throws what the operation threw; unavailable: the server went away in the middle, so that the
 * outcome is unknown.
 */
export async function askServer(
  directory: string, order: Order,
): Promise<PlainRecord | undefined> {
  const note = await readControlNote(directory);
  if (note === undefined) return undefined;
  const answer = await send(note, order);
  // Another program may have got the port of a server that was killed.
  if (answer?.statusCode !== 200) {
    answer?.resume();
    return undefined;
  }
  return readAnswer(answer, order);
}

function send(note: ControlNote, order: Order): Promise<IncomingMessage | undefined> {
  const { operation, input, signal } = order;
  return new Promise((resolve, reject) => {
    const req = nodeHttp.request({
      host: '127.0.0.1', port: note.port, method: 'POST', agent: false,
      headers: { Authorization: `Bearer ${note.token}`, 'Content-Type': 'application/json' },
      ...(signal !== undefined && { signal }),
    }, resolve);
    req.on('error', (error: NodeJS.ErrnoException) => {
      if (GONE_CODES.has(error.code ?? '')) resolve(undefined);
      else reject(error);
    });
    req.end(JSON.stringify({ operation, input }));
  });
}

async function readAnswer(answer: IncomingMessage, order: Order): Promise<PlainRecord> {
  try {
    for await (const text of createInterface({ input: answer, crlfDelay: Infinity })) {
      const line = JSON.parse(text) as {
        progress?: PlainRecord; result?: PlainRecord; error?: FaultData;
      };
      if (line.progress !== undefined) order.onProgress?.(line.progress);
      if (line.error !== undefined) throw faultFromData(line.error);
      if (line.result !== undefined) return line.result;
    }
  } catch (cause) {
    if (cause instanceof HoldfastError || order.signal?.aborted === true) throw cause;
    throw cutOff(cause);
  }
  throw cutOff(undefined);
}

function cutOff(cause: unknown): HoldfastError {
  const message = 'The server went away before it answered. Look again what has been done.';
  return new HoldfastError('unavailable', OP, message, { cause });
}
