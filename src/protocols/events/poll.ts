/** GET /api/v1/changes: one page; with `wait`, once there is something, or the time is over. */
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import { CHANGES_LIMIT_DEFAULT } from '../../wire/change-limits.ts';
import { sendProblem } from '../rest/problem.ts';
import { pageMessage } from './change-answer.ts';
import { checkMethod, follow, numberIn } from './event-parts.ts';
import type { EventParts } from './event-parts.ts';

export function pollHandler(parts: EventParts): HttpHandler {
  return async (exchange) => {
    try {
      await answer(parts, exchange);
    } catch (error) {
      sendProblem(exchange, error);
    }
  };
}

async function answer(parts: EventParts, exchange: Exchange): Promise<void> {
  checkMethod(exchange);
  const waitMs = numberIn(exchange, 'wait', 0) * 1000;
  const limit = numberIn(exchange, 'limit', CHANGES_LIMIT_DEFAULT);
  const following = await follow(parts, exchange);
  try {
    const page = await following.next({ waitMs, limit, signal: exchange.signal });
    const { res } = exchange;
    if (res.destroyed) return;
    const body = pageMessage(page);
    res.writeHead(200, [
      'Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(body.length),
      'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff',
    ]);
    res.end(body);
  } finally {
    following.close();
  }
}
