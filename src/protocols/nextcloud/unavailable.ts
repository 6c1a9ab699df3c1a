/** What is answered while the server starts or stops. */
import { HoldfastError } from '../../base/errors.ts';
import type { HttpHandler } from '../../platform/index.ts';
import { sendDavError } from '../dav-error.ts';
import { sendPage } from '../pages/layout.ts';
import { html } from '../pages/html.ts';
import { serveStylesheet } from '../pages/page-assets.ts';
import { STYLESHEET_PATH } from '../pages/stylesheet.ts';
import { serverStatus } from './capabilities.ts';
import { sendJson } from './login-flow.ts';
import { sendOcsError } from './ocs-exchange.ts';

const RETRY_MS = 5_000;

/**
 * Every client is told in its own words to come back: nobody may take a server that is not ready
 * for one that has no files. Clients that look at the status first then do not even try.
 */
export const unavailableHandler: HttpHandler = async (exchange) => {
  const { path, req, res } = exchange;
  if (/^(?:\/index\.php)?\/status\.php$/.test(path)) {
    return sendJson(exchange, 200, serverStatus(true));
  }
  if (path === STYLESHEET_PATH) return serveStylesheet(exchange);
  const message = 'The server is starting or stopping. Please try again in a moment.';
  const error = new HoldfastError('unavailable', 'protocols/unavailable', message, {
    facts: { retryAfterMs: RETRY_MS },
  });
  const ocs = /^\/ocs\/v([12])\.php\//.exec(path)?.[1];
  if (ocs !== undefined) return sendOcsError(exchange, ocs === '1' ? 1 : 2, error);
  const forPeople = (req.method === 'GET' || req.method === 'HEAD')
    && /text\/html/i.test(req.headers.accept ?? '') && !path.startsWith('/remote.php/');
  if (!forPeople) return sendDavError(exchange, error);
  res.setHeader('Retry-After', RETRY_MS / 1000);
  sendPage(exchange, {
    title: 'One moment',
    narrow: true,
    body: html`<section class="card"><h1>One moment, please</h1>
<p>Holdfast is starting or stopping. Your files are safe. Load this page again in a few seconds.</p>
</section>`,
  }, { status: 503 });
};
