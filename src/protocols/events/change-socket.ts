/** GET /api/v1/changes/socket: the same pages as messages of a WebSocket. */
import { isKind } from '../../base/errors.ts';
import type { UpgradeHandler } from '../../platform/index.ts';
import { sendProblem } from '../rest/problem.ts';
import { pageMessage } from './change-answer.ts';
import { HEARTBEAT_MS, MESSAGE_LIMIT, follow } from './event-parts.ts';
import type { EventParts } from './event-parts.ts';
import type { Following } from './following.ts';
import { CLOSE, OpenSocket } from './sockets.ts';

export function changeSocketHandler(parts: EventParts): UpgradeHandler {
  return async (exchange, socket, head) => {
    let following: Following;
    try {
      following = await follow(parts, exchange, true);
    } catch (error) {
      sendProblem(exchange, error);
      return;
    }
    try {
      const open = await OpenSocket.take(exchange, { socket, head, clock: parts.clock });
      await run(open, following).catch((error: unknown) => {
        const isOver = isKind(error, 'unauthenticated') || isKind(error, 'denied');
        if (!open.isOpen) return; // It has ended meanwhile, or all ends.
        if (!isOver) exchange.log.error({ err: error }, 'a socket of changes failed');
        if (isOver) open.close(CLOSE.denied, 'access-ended');
        else open.close(CLOSE.failed, 'failed');
      });
    } finally {
      following.close();
    }
  };
}

async function run(open: OpenSocket, following: Following): Promise<void> {
  const signal = open.closed;
  while (open.isOpen) {
    const page = await following.next({ waitMs: HEARTBEAT_MS, limit: MESSAGE_LIMIT, signal });
    if (!page.isReset && page.changes.length === 0) continue;
    if (!await open.send(pageMessage(page))) {
      open.close(CLOSE.later, 'slow');
      return;
    }
  }
}
