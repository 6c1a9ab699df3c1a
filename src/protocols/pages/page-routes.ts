/** The pages, and whatever no other part of the server answers. */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange, HttpHandler, Route } from '../../platform/index.ts';
import type { Authenticator } from '../authenticate.ts';
import { sendDavError } from '../dav-error.ts';
import { FLOW_PAGE_PREFIX } from '../nextcloud/login-flow.ts';
import { withIndex } from '../nextcloud/with-index.ts';
import { leaveBody } from '../request-body.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import { answerOptions } from '../webdav/options.ts';
import { parentHandler } from '../webdav/parents.ts';
import { icon, SPRITE } from './link-icons.ts';
import { LINK_PREFIX, LinkPages } from './link-page.ts';
import type { LinkPageParts } from './link-page.ts';
import { FLOW_1_PREFIX } from './flow-target.ts';
import { beginFlow1Handler, grantHandler, showGrantHandler } from './grant-page.ts';
import {
  changePasswordHandler, createDeviceHandler, decideHeldHandler, revokeDeviceHandler,
  showHomeHandler, showStartHandler,
} from './home-handlers.ts';
import { html } from './html.ts';
import { sendOn, sendPage } from './layout.ts';
import { serveStylesheet } from './page-assets.ts';
import type { PageHandler, PageParts } from './page-request.ts';
import { visitorOf } from './page-session.ts';
import { setupHandler, showSetupHandler } from './setup-page.ts';
import { showSignIn, signInHandler, signOutHandler } from './sign-in-page.ts';
import { STYLESHEET_PATH } from './stylesheet.ts';

export interface PageRouteParts extends PageParts, LinkPageParts {
  authenticator: Authenticator;
}

interface PageMethods {
  GET?: PageHandler;
  POST?: PageHandler;
}

/** The last route is `/`: it answers every address that is nobody else's, mostly with a 404. */
export function pageRoutes(parts: PageRouteParts): Route[] {
  const page = (prefix: string, methods: PageMethods): Route =>
    ({ prefix, name: 'pages', handler: pageHandler(parts, methods) });
  const flow = (version: 1 | 2): PageMethods =>
    ({ GET: showGrantHandler(parts, version), POST: grantHandler(parts, version) });
  const { get, post } = new LinkPages(parts);
  const home = pageHandler(parts, { GET: showStartHandler(parts) });
  return [
    ...withIndex([
      page('/login', { GET: showSignIn, POST: signInHandler(parts) }),
      page('/login/flow', { GET: beginFlow1Handler(parts) }),
      page(FLOW_1_PREFIX, flow(1)),
      page(FLOW_PAGE_PREFIX, flow(2)),
      page(LINK_PREFIX, { GET: get, POST: post }),
    ]),
    page('/account', { GET: showHomeHandler(parts) }),
    page('/logout', { POST: signOutHandler(parts) }),
    page('/setup', { GET: showSetupHandler(parts), POST: setupHandler(parts) }),
    page('/devices/create', { POST: createDeviceHandler(parts) }),
    page('/devices/revoke', { POST: revokeDeviceHandler(parts) }),
    page('/held', { POST: decideHeldHandler(parts) }),
    page('/password', { POST: changePasswordHandler(parts) }),
    { prefix: STYLESHEET_PATH, name: 'pages', handler: serveStylesheet },
    { prefix: '/', name: 'pages', handler: elsewhereHandler(parts, home) },
  ];
}

function pageHandler(parts: PageParts, methods: PageMethods): HttpHandler {
  return async (exchange) => {
    try {
      const { method } = exchange.req;
      const handler = method === 'POST' ? methods.POST
        : method === 'GET' || method === 'HEAD' ? methods.GET : undefined;
      if (method === 'OPTIONS') return answerOptions(exchange);
      if (handler === undefined) return refuseMethod(exchange, methods);
      await handler({ exchange, visitor: await visitorOf(exchange, parts.identity) });
    } catch (error) {
      sendErrorPage(exchange, error);
    }
  };
}

function refuseMethod(exchange: Exchange, { GET, POST }: PageMethods): never {
  exchange.res.setHeader('Allow', [GET && 'GET, HEAD', POST && 'POST'].filter(Boolean).join(', '));
  const message = 'This address does not take that method.';
  throw new HoldfastError('invalid', 'pages', message, { code: 'method-unknown' });
}

/** Folders that are only passed through on the way to the files. Clients that look at them on the
 *  way down must not meet an error there. */
const PASSED_THROUGH = new Set([
  '/', '/remote.php', '/remote.php/', '/remote.php/dav', '/remote.php/dav/',
]);

function elsewhereHandler(parts: PageRouteParts, home: HttpHandler): HttpHandler {
  const parents = parentHandler(parts);
  return async (exchange) => {
    const { path, req: { method } } = exchange;
    if (method === 'OPTIONS') return answerOptions(exchange);
    const isReading = method === 'GET' || method === 'HEAD';
    if (path === '/' && (isReading || method === 'POST')) return home(exchange);
    if (PASSED_THROUGH.has(path)) return parents(exchange);
    if (isReading && /^\/index\.php\/?$/.test(path)) return sendOn(exchange, '/');
    const error = new HoldfastError('not-found', 'pages', 'There is nothing at this address.');
    const wantsPage = isReading && /text\/html/i.test(exchange.req.headers.accept ?? '');
    if (wantsPage && !path.startsWith('/remote.php/')) return sendErrorPage(exchange, error);
    sendDavError(exchange, error);
  };
}

const TITLES: Readonly<Record<number, string>> = {
  403: 'This is not allowed', 404: 'Nothing here', 405: 'That does not work here',
  429: 'Please wait a moment', 503: 'Please wait a moment',
};

/** Of links: what its visitor should do. */
const LINK_WORDS: Readonly<Record<string, { title: string; text: string }>> = {
  'link-over': {
    title: 'This link leads nowhere',
    text: 'It has expired, was taken back, or its address is not complete. Ask whoever gave it to '
      + 'you for a new one.',
  },
  'downloads-spent': {
    title: 'This link is used up',
    text: 'All downloads that it allows are done. Ask whoever gave it to you for another one.',
  },
};

function showLinkOver(
  exchange: Exchange, { title, text }: { title: string; text: string }, status: number,
): void {
  sendPage(exchange, {
    title, narrow: true,
    body: html`${SPRITE}<section class="card centered"><div class="emblem">${icon('link')}</div>
<h1>${title}</h1><p class="soft">${text}</p></section>`,
  }, { status });
}

/** An error in words for people. What is not meant for them is logged, and named by its id. */
export function sendErrorPage(exchange: Exchange, error: unknown): void {
  const { req, res, requestId } = exchange;
  if (res.destroyed && !res.headersSent) return;
  if (res.headersSent) throw error;
  const fault = error instanceof HoldfastError ? error : undefined;
  const isOurs = fault === undefined || fault.kind === 'internal' || fault.kind === 'corrupt';
  if (isOurs) exchange.log.error({ err: error, method: req.method }, 'request failed');
  const status = fault === undefined ? 500 : statusOf(fault);
  const retrySeconds = fault && retryAfterSeconds(fault);
  leaveBody(req, res);
  const words = LINK_WORDS[fault?.code ?? ''];
  if (words !== undefined) return showLinkOver(exchange, words, status);
  const title = TITLES[status] ?? (isOurs ? 'Something went wrong' : 'That did not work');
  sendPage(exchange, {
    title,
    narrow: true,
    body: html`<section class="card"><h1>${title}</h1>
<p>${isOurs ? 'The fault is on our side, and it was noted. Please try again.' : fault.message}</p>
${isOurs && html`<p class="soft small">If you report it, name this request: ${requestId}</p>`}
<p><a href="/">To the start page</a></p></section>`,
  }, {
    // The pages ask for no password by themselves; 401 would need a challenge.
    status: status === 401 ? 403 : status,
    headers: retrySeconds === undefined ? {} : { 'Retry-After': retrySeconds },
  });
}
