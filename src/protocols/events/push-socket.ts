/**
 * What desktop clients call notify_push: a WebSocket that says that files have changed, so that
 * they need not look every half minute. The client sends its user name and then its password,
 * and hears `authenticated`; from then on `notify_file` for each change that it can see, or, once
 * it has sent `listen notify_file_id`, `notify_file_id` with a list of ids where these say all.
 */
import { isKind } from '../../base/errors.ts';
import type { FeedPage } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange, UpgradeHandler } from '../../platform/index.ts';
import { HEARTBEAT_MS } from './event-parts.ts';
import type { EventParts } from './event-parts.ts';
import { Following } from './following.ts';
import { CLOSE, OpenSocket } from './sockets.ts';

export const PUSH_PATH = '/push/ws';

const SIGN_IN_MS = 15_000;
/** Each notice makes a client look: not more often than this. */
const QUIET_MS = 1_000;
/** More ids than this say no more than that there is much. */
const IDS_MAX = 100;
const WANTS_IDS = 'listen notify_file_id';
const INVALID = 'err: Invalid credentials';
/** Messages that are heard before the client is known. */
const MESSAGES_MAX = 3;

export function pushSocketHandler(parts: EventParts): UpgradeHandler {
  return async (exchange, socket, head) => {
    const open = await OpenSocket.take(exchange, { socket, head, clock: parts.clock });
    const findCaller = await signIn(parts, exchange, open);
    if (findCaller === undefined) {
      await open.send(INVALID);
      open.close(CLOSE.denied, 'sign-in');
      return;
    }
    try {
      await push(parts, open, findCaller);
    } catch (error) {
      if (!open.isOpen) return; // It has ended meanwhile, or all ends.
      if (isKind(error, 'unauthenticated')) open.close(CLOSE.denied, 'access-ended');
      else if (isKind(error, 'busy')) open.close(CLOSE.later, 'busy');
      else {
        exchange.log.error({ err: error }, 'a socket of notices failed');
        open.close(CLOSE.failed, 'failed');
      }
    }
  };
}

/** How to find the caller again; undefined: nobody is known by what was sent. */
async function signIn(
  { auth: { identity } }: EventParts, { address, log }: Exchange, open: OpenSocket,
): Promise<(() => Promise<Caller>) | undefined> {
  open.hear(MESSAGES_MAX);
  const user = (await open.next(SIGN_IN_MS))?.trim();
  const password = (await open.next(SIGN_IN_MS))?.trim();
  if (user === undefined || user === '' || password === undefined) return undefined;
  const findCaller = async (): Promise<Caller> =>
    ({ ...await identity.authenticateBasic({ user, password, address }), address });
  try {
    await findCaller();
    return findCaller;
  } catch (error) {
    if (isKind(error, 'unauthenticated') || isKind(error, 'busy')) return undefined;
    log.error({ err: error }, 'a client could not be signed in');
    return undefined;
  }
}

async function push(
  parts: EventParts, open: OpenSocket, findCaller: () => Promise<Caller>,
): Promise<void> {
  const following = new Following(parts, {
    caller: await findCaller(), findCaller, cursor: undefined,
  });
  try {
    const signal = open.closed;
    let wantsIds = false;
    open.onText((text) => {
      if (text === WANTS_IDS) wantsIds = true;
    });
    // The first page only says from where: the client looks by itself when it has signed in.
    await following.next({ waitMs: 0, limit: IDS_MAX, signal });
    if (!await open.send('authenticated')) return;
    while (open.isOpen) {
      const page = await following.next({ waitMs: HEARTBEAT_MS, limit: IDS_MAX, signal });
      const notice = noticeOf(page, wantsIds);
      if (notice === undefined) continue;
      if (!await open.send(notice)) {
        open.close(CLOSE.later, 'slow');
        return;
      }
      await pause(parts, open);
    }
  } finally {
    following.close();
  }
}

function noticeOf(page: FeedPage, wantsIds: boolean): string | undefined {
  if (page.isReset) return 'notify_file';
  if (page.changes.length === 0) return undefined;
  const ids = page.changes.map(({ nodeId }) => nodeId);
  const isAll = wantsIds && ids.length <= IDS_MAX && ids.every((id) => id !== undefined);
  return isAll ? `notify_file_id ${JSON.stringify(ids)}` : 'notify_file';
}

function pause({ clock }: EventParts, { closed }: OpenSocket): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      closed.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(QUIET_MS, end);
    closed.addEventListener('abort', end, { once: true });
  });
}
