import type { HttpHandler } from '../../platform/index.ts';
import { leaveBody } from '../request-body.ts';
import { STYLESHEET } from './stylesheet.ts';

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Its address changes with its content, so it may be kept. */
export const serveStylesheet: HttpHandler = async ({ req, res }) => {
  leaveBody(req, res);
  res.writeHead(200, {
    'Content-Type': 'text/css; charset=utf-8',
    'Content-Length': Buffer.byteLength(STYLESHEET),
    'Cache-Control': `public, max-age=${YEAR_SECONDS}, immutable`,
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(req.method === 'HEAD' ? undefined : STYLESHEET);
};
