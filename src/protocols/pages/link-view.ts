/** What visitors of a public link see: the question for its password, and a file. */
import type { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import type { LinkCaller, SeenNode } from '../../files/index.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { formTokenField, note } from './layout.ts';
import { icon, iconOf, SPRITE } from './link-icons.ts';
import type { FilePreview } from './link-preview.ts';
import type { PageRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { readableBytes, readableDay } from './readable.ts';

export interface LinkPlace {
  token: string;
  link: LinkCaller;
  path: readonly Name[];
  node: SeenNode;
  /** Of what the link leads to: its own name, or what its maker calls it. */
  rootName: string;
}

export type LinkAction = '' | '/download' | '/view' | '/zip' | '/upload';

export function addressOf(
  token: string, path: readonly string[], action: LinkAction = '',
): string {
  const where = path.length === 0 ? '' : `?path=${encodeURIComponent(`/${path.join('/')}`)}`;
  return `/s/${token}${action}${where}`;
}

export function showPasswordForm(
  request: PageRequest, token: string, fault?: HoldfastError,
): void {
  const retrySeconds = fault && retryAfterSeconds(fault);
  const remark = fault?.kind === 'unauthenticated' ? 'That is not the password.' : fault?.message;
  show(request, {
    title: 'Password', narrow: true,
    body: html`${SPRITE}<section class="card centered"><div class="emblem">${icon('lock')}</div>
<h1>This link is protected</h1>
<p class="soft">Enter the password that you were given with it.</p>
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

export function showFile(
  request: PageRequest, place: LinkPlace, preview: FilePreview | undefined,
): void {
  const { token, link, path, node } = place;
  const canDownload = node.sight?.access.download === true;
  const name = path.at(-1) ?? node.name;
  show(request, {
    title: name, wide: true,
    body: html`${SPRITE}<section class="card">
${path.length > 0 && crumbsOf(place)}
<div class="headline"><div class="what">${iconOf({ kind: 'file', name })}<div><h1>${name}</h1>
<p class="soft small">${readableBytes(node.sizeBytes)} · ${timeOf(node.modifiedAt)}</p></div></div>
${canDownload && html`<a class="button" href="${addressOf(token, path, '/download')}"
>${icon('download')}Download</a>`}</div>
${noteOf(link)}
${!canDownload && html`<p class="note plain">It can be seen here, and not downloaded.</p>`}
${preview && pictureOf(place, { name, preview })}</section>`,
  }, { shows: preview?.kind });
}

function pictureOf(
  { token, path }: LinkPlace, { name, preview }: { name: string; preview: FilePreview },
): Html {
  const address = addressOf(token, path, '/view');
  switch (preview.kind) {
    case 'image': return html`<div class="preview"><img src="${address}" alt="${name}"></div>`;
    case 'video': return html`<div class="preview"><video src="${address}" controls
 preload="metadata" aria-label="${name}"></video></div>`;
    case 'audio': return html`<div class="preview sound"><audio src="${address}" controls
 preload="metadata" aria-label="${name}"></audio></div>`;
    case 'pdf': return html`<div class="preview"><iframe class="paper" src="${address}"
 title="${name}"></iframe></div>`;
    case 'text': return html`<pre class="text" tabindex="0" role="region"
 aria-label="${name}">${withLines(preview.text)}</pre>
${preview.isCut && html`<p class="soft small">This is the beginning. Download the file to read all
of it.</p>`}`;
  }
}

/** Texts are freed of control characters, line ends among them; so these stand on their own. */
function withLines(text: string): Html {
  const lines = text.replaceAll('\t', '    ').split(/\r\n|\r|\n/);
  return html`${lines.map((line, at) => html`${at > 0 && LINE_END}${line}`)}`;
}

const LINE_END = html`
`;

export function noteOf({ terms }: LinkCaller): Html | undefined {
  return terms.note === undefined ? undefined : html`<p class="words">${terms.note}</p>`;
}

export function timeOf(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${readableDay(at)}</time>`;
}

/** From what the link leads to, down to where one is. */
export function crumbsOf(place: LinkPlace): Html {
  const { token, path, rootName } = place;
  const steps = [
    { name: rootName, to: addressOf(token, []) },
    ...path.map((name, at) => ({ name, to: addressOf(token, path.slice(0, at + 1)) })),
  ];
  return html`<nav class="crumbs" aria-label="Folder"><ol>${steps.map(({ name, to }, at) => {
    const isLast = at === steps.length - 1;
    return html`<li>${at > 0 && icon('chevronRight')}${isLast
      ? html`<span aria-current="page">${name}</span>` : html`<a href="${to}">${name}</a>`}</li>`;
  })}</ol></nav>`;
}
