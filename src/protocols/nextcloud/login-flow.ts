/**
 * The device's side of Login Flow v2: it begins, opens a page in the browser (see pages/), and asks
 * until somebody has granted. The addresses it is told are those of the server as it knows it.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Identity } from '../../identity/index.ts';
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import { leaveBody, readBounded } from '../request-body.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import { INDEX_PREFIX } from './with-index.ts';

export const FLOW_BEGIN_PATH = '/login/v2';
export const FLOW_POLL_PATH = '/login/v2/poll';
/** The page that the browser opens; the flow's token follows. */
export const FLOW_PAGE_PREFIX = '/login/v2/flow/';

const FORM_BYTES_MAX = 4096;

export function flowBeginHandler(identity: Identity): HttpHandler {
  return onlyPost(async (exchange) => {
    const { origin, req } = exchange;
    const device = req.headers['user-agent'] ?? '';
    const { pollToken, flowToken } = await identity.loginFlows.begin(device);
    sendJson(exchange, 200, {
      poll: { token: pollToken, endpoint: `${origin}${INDEX_PREFIX}${FLOW_POLL_PATH}` },
      login: `${origin}${INDEX_PREFIX}${FLOW_PAGE_PREFIX}${flowToken}`,
    });
  });
}

/** 404 until it was granted; then the answer, once. */
export function flowPollHandler(identity: Identity): HttpHandler {
  return onlyPost(async (exchange) => {
    const form = new URLSearchParams((await readBounded(exchange.req, FORM_BYTES_MAX)).toString());
    const token = form.get('token') ?? '';
    const granted = token === '' ? undefined : await identity.loginFlows.poll(token);
    if (granted === undefined) return sendJson(exchange, 404, []);
    const { user, appPassword } = granted;
    sendJson(exchange, 200, { server: exchange.origin, loginName: user, appPassword });
  });
}

/** A client asks whether it should erase what it holds. Nobody can order that here, so the answer
 *  is always no; clients take 404 for it. */
export const wipeHandler: HttpHandler = async (exchange) => sendJson(exchange, 404, []);

function onlyPost(handler: HttpHandler): HttpHandler {
  return async (exchange) => {
    if (exchange.req.method !== 'POST') {
      exchange.res.setHeader('Allow', 'POST');
      return sendJson(exchange, 405, { message: 'This address takes POST only.' });
    }
    try {
      await handler(exchange);
    } catch (error) {
      sendJsonError(exchange, error);
    }
  };
}

function sendJsonError(exchange: Exchange, error: unknown): void {
  if (exchange.res.headersSent || !(error instanceof HoldfastError)) throw error;
  if (error.kind === 'internal' || error.kind === 'corrupt') throw error;
  const retrySeconds = retryAfterSeconds(error);
  if (retrySeconds !== undefined) exchange.res.setHeader('Retry-After', retrySeconds);
  sendJson(exchange, statusOf(error), { message: error.message });
}

export function sendJson({ req, res }: Exchange, status: number, body: object): void {
  const text = JSON.stringify(body);
  leaveBody(req, res);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.end(req.method === 'HEAD' ? undefined : text);
}
