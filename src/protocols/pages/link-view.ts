/** What visitors of a public link see. */
import type { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import type { LinkCaller, SeenEntry, SeenNode } from '../../files/index.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { formTokenField, note } from './layout.ts';
import type { PageRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { readableBytes, readableDay } from './readable.ts';

export interface LinkPlace {
  token: string;
  link: LinkCaller;
  path: readonly Name[];
  node: SeenNode;
}

/** Entries that one page shows; the others are on pages of their own. */
export const ENTRIES_MAX = 2000;

export function addressOf(
  token: string, path: readonly string[], action: '' | '/download' | '/upload' = '',
): string {
  const where = path.length === 0 ? '' : `?path=${encodeURIComponent(`/${path.join('/')}`)}`;
  return `/s/${token}${action}${where}`;
}

/** Of a page of a long folder. */
function pageAddressOf(token: string, path: readonly string[], number: number): string {
  const address = addressOf(token, path);
  return number === 1 ? address : `${address}${path.length === 0 ? '?' : '&'}page=${number}`;
}

export function showPasswordForm(
  request: PageRequest, token: string, fault?: HoldfastError,
): void {
  const retrySeconds = fault && retryAfterSeconds(fault);
  const remark = fault?.kind === 'unauthenticated' ? 'That is not the password.' : fault?.message;
  show(request, {
    title: 'Password', narrow: true,
    body: html`<section class="card"><h1>This link is protected</h1>
${note('bad', remark)}
<form method="post" action="${addressOf(token, [])}">
${formTokenField(request.visitor.formToken)}
<div class="field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="off" required autofocus></div>
<button class="wide">Open</button></form></section>`,
  }, {
    status: fault === undefined ? 200 : fault.kind === 'busy' ? statusOf(fault) : 403,
    headers: retrySeconds === undefined ? {} : { 'Retry-After': retrySeconds },
  });
}

export function showFile(request: PageRequest, place: LinkPlace): void {
  const { token, link, path, node } = place;
  const canDownload = node.sight?.access.download === true;
  show(request, {
    title: node.name, narrow: true,
    body: html`<section class="card"><h1>${node.name}</h1>
${noteOf(link)}
<p class="soft">${readableBytes(node.sizeBytes)}, ${readableDay(node.modifiedAt)}</p>
${canDownload ? html`<p><a class="button" href="${addressOf(token, path, '/download')}"
>Download</a></p>` : html`<p>It can be seen here, and not downloaded.</p>`}</section>`,
  });
}

export function showFolder(
  request: PageRequest, place: LinkPlace,
  { entries, number, hasMore, done }: {
    entries: readonly SeenEntry[]; number: number; hasMore: boolean; done: string | undefined;
  },
): void {
  const { link, path, node } = place;
  const access = node.sight?.access;
  // What is shared as a whole may be a team's folder, whose root has no name.
  const title = path.at(-1) ?? link.terms.label ?? (node.name === '' ? 'Shared' : node.name);
  show(request, {
    title,
    body: html`<section class="card"><h1>${title}</h1>
${noteOf(link)}
${note('good', done)}
${path.length > 0 && html`<p><a href="${addressOf(place.token, path.slice(0, -1))}">Up</a></p>`}
${access?.read === true ? tableOf(place, entries) : html`<p>You can leave files here. Nobody who
comes by this link sees what others left.</p>`}
${(hasMore || number > 1) && pagesNav(place, { number, hasMore })}
</section>
${access?.create === true && uploadForm(request, place)}`,
  });
}

function pagesNav(
  { token, path }: LinkPlace, { number, hasMore }: { number: number; hasMore: boolean },
): Html {
  const to = (other: number): string => pageAddressOf(token, path, other);
  return html`<nav class="row"><span class="soft">Page ${number}</span>
${number > 1 && html`<a href="${to(number - 1)}" rel="prev">Earlier</a>`}
${hasMore && html`<a href="${to(number + 1)}" rel="next">Later</a>`}</nav>`;
}

function noteOf({ terms }: LinkCaller): Html | undefined {
  return terms.note === undefined ? undefined : html`<p>${terms.note}</p>`;
}

function tableOf({ token, path, node }: LinkPlace, entries: readonly SeenEntry[]): Html {
  if (entries.length === 0) return html`<p class="soft">There is nothing in this folder.</p>`;
  const canDownload = node.sight?.access.download === true;
  return html`<table><thead><tr><th>Name</th><th>Size</th><th>Changed</th></tr></thead><tbody>
${entries.map((entry) => html`<tr><td>${nameCell(entry, { token, path, canDownload })}</td>
<td>${readableBytes(entry.sizeBytes)}</td><td>${readableDay(entry.modifiedAt)}</td></tr>
`)}</tbody></table>`;
}

function nameCell(
  { name, kind }: SeenEntry,
  { token, path, canDownload }: { token: string; path: readonly Name[]; canDownload: boolean },
): Html {
  const below = [...path, name];
  if (kind === 'folder') return html`<a href="${addressOf(token, below)}">${name}/</a>`;
  if (!canDownload) return html`${name}`;
  return html`<a href="${addressOf(token, below, '/download')}">${name}</a>`;
}

function uploadForm({ visitor }: PageRequest, { token, path }: LinkPlace): Html {
  return html`<section class="card"><h2>Leave files here</h2>
<form method="post" enctype="multipart/form-data" action="${addressOf(token, path, '/upload')}">
${formTokenField(visitor.formToken)}
<div class="field"><label for="file">Files</label>
<input id="file" name="file" type="file" multiple required></div>
<button>Upload</button></form>
<p class="soft small">Nothing that is here already is overwritten.</p></section>`;
}
