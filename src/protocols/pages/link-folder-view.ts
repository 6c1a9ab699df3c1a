/** What visitors of a public link see of a folder: what is in it, and where files can be left. */
import type { SeenEntry } from '../../files/index.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { formTokenField } from './layout.ts';
import { icon, iconOf, SPRITE } from './link-icons.ts';
import type { Receipt } from './link-receipts.ts';
import { addressOf, crumbsOf, noteOf, timeOf } from './link-view.ts';
import type { LinkPlace } from './link-view.ts';
import type { PageRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { readableBytes } from './readable.ts';

/** Entries that one page shows; the others are on pages of their own. */
export const ENTRIES_MAX = 2000;

export interface FolderPage {
  entries: readonly SeenEntry[];
  number: number;
  hasMore: boolean;
  /** So many files were left just now. */
  leftCount: number;
  /** Which; undefined: it is not known any more. */
  receipt: Receipt | undefined;
}

/** Of a page of a long folder. */
function pageAddressOf(token: string, path: readonly string[], number: number): string {
  const address = addressOf(token, path);
  return number === 1 ? address : `${address}${path.length === 0 ? '?' : '&'}page=${number}`;
}

export function showFolder(request: PageRequest, place: LinkPlace, page: FolderPage): void {
  const { link, path, node, token } = place;
  const access = node.sight?.access;
  const { entries, number, hasMore } = page;
  const title = path.at(-1) ?? place.rootName;
  if (access?.read !== true) return showDrop(request, place, page);
  const canZip = access.download && entries.length > 0;
  show(request, {
    title, wide: true,
    body: html`${SPRITE}<section class="card">
${path.length > 0 && crumbsOf(place)}
<div class="headline"><div class="what">${icon('folder')}<h1>${title}</h1></div>
${canZip && html`<a class="button" href="${addressOf(token, path, '/zip')}"
>${icon('download')}Download all</a>`}</div>
${noteOf(link)}
${resultOf(page)}
${tableOf(place, entries)}
${(hasMore || number > 1) && pagesNav(place, page)}
</section>
${access.create && html`<section class="card"><h2>Add files here</h2>${
  uploadForm(request, place)}</section>`}`,
  });
}

/** Files can be left, and none is shown. */
function showDrop(request: PageRequest, place: LinkPlace, page: FolderPage): void {
  const { link, rootName: title } = place;
  show(request, {
    title, wide: true,
    body: html`${SPRITE}<section class="card">
<div class="headline"><div class="what">${icon('upload')}<h1>${title}</h1></div></div>
${noteOf(link)}
${resultOf(page)}
<p class="soft">You can leave files here. Nobody who comes by this link sees what others left.</p>
${uploadForm(request, place)}</section>`,
  });
}

function resultOf({ leftCount, receipt }: FolderPage): Html | undefined {
  if (receipt === undefined) {
    return leftCount > 0 ? html`<p class="note good" role="status">Thank you: ${
      countOf(leftCount)} arrived and stored.</p>` : undefined;
  }
  const { arrived, failed } = receipt;
  return html`${arrived.length > 0 && html`<div class="note good" role="status">
<p><strong>Thank you: ${countOf(leftCount)} arrived and stored.</strong></p>
<ul class="arrived">${arrived.map(({ name, sizeBytes }) => html`<li>${icon('check')}<span>${name}
</span> <small>${readableBytes(sizeBytes)}</small></li>`)}</ul></div>`}
${failed.length > 0 && html`<div class="note bad" role="alert">
<p><strong>These did not arrive:</strong></p>
<ul class="arrived">${failed.map(({ name, reason }) => html`<li>${icon('alert')}<span>${name}</span>
<small>${reason}</small></li>`)}</ul></div>`}`;
}

function countOf(count: number): string {
  return count === 1 ? 'one file has' : `${count} files have`;
}

function pagesNav({ token, path }: LinkPlace, { number, hasMore }: FolderPage): Html {
  const to = (other: number): string => pageAddressOf(token, path, other);
  return html`<nav class="row pages" aria-label="Pages"><span class="soft">Page ${number}</span>
${number > 1 && html`<a href="${to(number - 1)}" rel="prev">Earlier</a>`}
${hasMore && html`<a href="${to(number + 1)}" rel="next">Later</a>`}</nav>`;
}

function tableOf(place: LinkPlace, entries: readonly SeenEntry[]): Html {
  if (entries.length === 0) {
    return html`<div class="nothing">${icon('folder')}
<p>There is nothing in this folder.</p></div>`;
  }
  const canDownload = place.node.sight?.access.download === true;
  return html`<table class="entries"><thead><tr><th scope="col">Name</th>
<th scope="col" class="time">Changed</th><th scope="col" class="size">Size</th>
${canDownload && html`<th scope="col" class="act"><span class="unseen">Download</span></th>`}
</tr></thead><tbody>
${entries.map((entry) => rowOf(place, { entry, canDownload }))}</tbody></table>`;
}

function rowOf(
  { token, path }: LinkPlace, { entry, canDownload }: { entry: SeenEntry; canDownload: boolean },
): Html {
  const { name, kind, sizeBytes, modifiedAt } = entry;
  const below = [...path, name];
  const isOpen = kind === 'folder' || canDownload;
  return html`<tr><td class="name">${iconOf(entry)}${isOpen
    ? html`<a href="${addressOf(token, below)}">${name}</a>` : html`<span>${name}</span>`}</td>
<td class="time">${timeOf(modifiedAt)}</td><td class="size">${readableBytes(sizeBytes)}</td>
${canDownload && html`<td class="act"><a href="${
  addressOf(token, below, kind === 'folder' ? '/zip' : '/download')}"
 aria-label="Download ${name}">${icon('download')}</a></td>`}</tr>
`;
}

/** The field itself is as large as the zone, so that files can be dropped without any script; and
 *  it tells by itself which were chosen. */
function uploadForm({ visitor }: PageRequest, { token, path }: LinkPlace): Html {
  return html`<form method="post" enctype="multipart/form-data"
 action="${addressOf(token, path, '/upload')}">
${formTokenField(visitor.formToken)}
<div class="zone"><label for="file">${icon('upload')}<strong>Drop files here</strong>
<span class="soft">or choose them</span></label>
<input id="file" name="file" type="file" multiple required></div>
<div class="row"><button>Upload</button>
<span class="soft small">Nothing that is here already is overwritten.</span></div></form>`;
}
