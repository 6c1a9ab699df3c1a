/**
 * GET /api/v1/changes/stream: server-sent events (HTML Standard, section 9.2). The id of each is
 * the cursor behind it, so a reader that was cut off goes on where it was.
 *
 * Nothing is written while the reader has not taken what was written before: so at most one message
 * waits for it. If it takes none for SLOW_MS, the stream ends, and says why.
 */
import type { ServerResponse } from 'node:http';
import { isKind } from '../../base/errors.ts';
import type { Clock, Exchange, HttpHandler } from '../../platform/index.ts';
import { sendProblem } from '../rest/problem.ts';
import { pageEvent } from './change-answer.ts';
import { HEARTBEAT_MS, MESSAGE_LIMIT, SLOW_MS, checkMethod, follow } from './event-parts.ts';
import type { EventParts } from './event-parts.ts';
import type { Following } from './following.ts';

/** How long a browser waits before it comes again. */
const RETRY_MS = 3_000;
const GOODBYE_MS = 1_000;

export function streamHandler(parts: EventParts): HttpHandler {
  return async (exchange) => {
    let following: Following;
    try {
      checkMethod(exchange);
      following = await follow(parts, exchange);
    } catch (error) {
      sendProblem(exchange, error);
      return;
    }
    try {
      await run(parts, exchange, following);
    } finally {
      following.close();
    }
  };
}

async function run(
  { clock }: EventParts, { res, signal, log }: Exchange, following: Following,
): Promise<void> {
  let isBegun = false;
  const say = async (text: string | Buffer): Promise<boolean> => {
    if (!isBegun) begin(res);
    isBegun = true;
    return write(res, text, { clock, signal });
  };
  try {
    if (!await say(`retry: ${RETRY_MS}\n\n`)) return;
    while (!signal.aborted) {
      const page = await following.next({ waitMs: HEARTBEAT_MS, limit: MESSAGE_LIMIT, signal });
      if (signal.aborted) break;
      const isQuiet = !page.isReset && page.changes.length === 0;
      if (await say(isQuiet ? ': still here\n\n' : pageEvent(page))) continue;
      if (!signal.aborted) bye(res, 'slow', clock);
      return;
    }
    bye(res, 'ending', clock);
  } catch (error) {
    if (signal.aborted) {
      bye(res, 'ending', clock);
      return;
    }
    const isOver = isKind(error, 'unauthenticated') || isKind(error, 'denied');
    if (!isOver) log.error({ err: error }, 'a stream of changes failed');
    bye(res, isOver ? 'access-ended' : 'failed', clock);
  }
}

function begin(res: ServerResponse): void {
  res.writeHead(200, [
    'Content-Type', 'text/event-stream; charset=utf-8', 'Cache-Control', 'no-store',
    'X-Content-Type-Options', 'nosniff', 'X-Accel-Buffering', 'no',
  ]);
}

/** True once the reader has taken it; false: it does not, or it has gone. */
function write(
  res: ServerResponse, text: string | Buffer,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  if (res.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isTaken: boolean): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(isTaken);
    };
    const onAbort = (): void => end(false);
    const cancel = clock.after(SLOW_MS, () => end(false));
    signal.addEventListener('abort', onAbort, { once: true });
    res.write(text, (error) => end(error === undefined || error === null));
  });
}

/** Says why it ends. Whoever does not take even that is cut. */
function bye(res: ServerResponse, reason: string, clock: Clock): void {
  if (res.destroyed) return;
  res.end(`event: bye\ndata: {"reason":"${reason}"}\n\n`);
  const cancel = clock.after(GOODBYE_MS, () => res.destroy());
  res.once('close', cancel);
}
