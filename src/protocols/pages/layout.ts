/** The frame of every page, and the headers it is sent with. */
import type { Exchange } from '../../platform/index.ts';
import type { Html, HtmlValue } from './html.ts';
import { html } from './html.ts';
import { STYLESHEET_HREF } from './stylesheet.ts';

export interface Page {
  title: string;
  body: HtmlValue;
  /** Who is signed in, and the token for the form that signs out. */
  visitor?: { displayName: string; formToken: string } | undefined;
  /** One column for a single form. */
  narrow?: boolean;
  /** Room for a list or a picture. */
  wide?: boolean;
}

export interface SendOptions {
  status?: number;
  headers?: Readonly<Record<string, string | number | readonly string[]>>;
  /** A scheme that a form's answer may lead to, besides this server: for apps' own addresses. */
  formTarget?: 'nc:';
  /** What of this server's own the page shows within it. */
  shows?: Shown | undefined;
}

export type Shown = 'image' | 'video' | 'audio' | 'pdf' | 'text';

const LOGO = html`<svg viewBox="0 0 32 32" aria-hidden="true"><rect class="ground" width="32"
  height="32" rx="9"/><g fill="none" stroke-width="2.2" stroke-linecap="round"
  stroke-linejoin="round"><path d="M16 6 8 9v6.2c0 5 3.3 8.5 8 10.8 4.7-2.3 8-5.8 8-10.8V9z"/><path
  d="m12.5 15.8 2.6 2.6 4.7-4.9"/></g></svg>`;

/** Writes a page. Nothing of it may be kept, framed, or told to another site as a referrer: an
 *  address can hold a secret. */
export function sendPage(exchange: Exchange, page: Page, options: SendOptions = {}): void {
  const text = `<!doctype html>\n${render(page).text}\n`;
  const { res } = exchange;
  res.statusCode = options.status ?? 200;
  setSafetyHeaders(exchange, options);
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    res.setHeader(name, typeof value === 'object' ? [...value] : value);
  }
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(exchange.req.method === 'HEAD' ? undefined : text);
}

/** Sends the browser on with a GET. `target` is always made from this server's own words, never
 *  from a request: there is no address to hand in from outside. */
export function sendOn(
  exchange: Exchange, target: string, headers: Readonly<Record<string, readonly string[]>> = {},
): void {
  const { res } = exchange;
  res.statusCode = 303;
  setSafetyHeaders(exchange, target.startsWith('nc:') ? { formTarget: 'nc:' } : {});
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, [...value]);
  res.setHeader('Location', target);
  res.setHeader('Content-Length', 0);
  res.end();
}

const SHOWN_SOURCES: Readonly<Record<Shown, string>> = {
  image: ' img-src \'self\';', video: ' media-src \'self\';', audio: ' media-src \'self\';',
  pdf: ' frame-src \'self\';', text: '',
};

export function setSafetyHeaders(
  { res }: Exchange, { formTarget, shows }: Pick<SendOptions, 'formTarget' | 'shows'> = {},
): void {
  const formAction = formTarget === undefined ? '\'self\'' : `'self' ${formTarget}`;
  const sources = shows === undefined ? '' : SHOWN_SOURCES[shows];
  res.setHeader('Content-Security-Policy', `default-src 'none'; style-src 'self';${sources} `
    + `form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('X-Frame-Options', 'DENY');
  res.setHeader('X-Robots-Tag', 'noindex, nofollow');
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
}

function render({ title, body, visitor, narrow = false, wide = false }: Page): Html {
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Holdfast</title>
<link rel="stylesheet" href="${STYLESHEET_HREF}">
</head>
<body class="${narrow && 'narrow'}${wide && 'wide'}">
<header class="top">
<a class="brand" href="/">${LOGO}<span>Holdfast</span></a>
${visitor && html`<div class="who"><span>${visitor.displayName}</span>
<form method="post" action="/logout">${formTokenField(visitor.formToken)}
<button class="quiet slim">Sign out</button></form></div>`}
</header>
<main>
${body}
</main>
</body>
</html>`;
}

export const FORM_TOKEN_FIELD = 'form-token';

export function formTokenField(formToken: string): Html {
  return html`<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${formToken}">`;
}

/** A remark above a form; nothing when there is none. */
export function note(kind: 'bad' | 'good', text: string | undefined): Html | undefined {
  if (text === undefined) return undefined;
  return html`<p class="note ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`;
}
