/** The page behind a public link, `/s/TOKEN`: looking, downloading, leaving files. No script. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseName, parsePath } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import { leaveFile } from '../../files/index.ts';
import type { FileService, LinkCaller, Links, SeenEntry } from '../../files/index.ts';
import type { Clock } from '../../platform/index.ts';
import { decodeSegment } from '../paths.ts';
import { answerNode } from '../webdav/get.ts';
import { formParts, textOf } from './form-stream.ts';
import { LinkPasses } from './link-passes.ts';
import {
  addressOf, ENTRIES_MAX, showFile, showFolder, showPasswordForm,
} from './link-view.ts';
import { FORM_TOKEN_FIELD, sendOn } from './layout.ts';
import type { PageHandler, PageRequest } from './page-request.ts';
import { checkFormToken, readForm } from './page-session.ts';

export const LINK_PREFIX = '/s/';

export interface LinkPageParts {
  files: FileService;
  links: Links;
  clock: Clock;
  instanceId: string;
}

type Action = '' | 'download' | 'upload';

export class LinkPages {
  readonly #parts: LinkPageParts;
  readonly #passes: LinkPasses;

  constructor(parts: LinkPageParts) {
    this.#parts = parts;
    this.#passes = new LinkPasses(parts.clock);
  }

  readonly get: PageHandler = async (request) => {
    const { token, action } = addressIn(request);
    const link = await this.#open(request, token);
    if (link === undefined) return;
    const path = pathIn(request);
    const { node } = await this.#parts.files.get(link, path);
    if (action === 'download' && node.kind === 'file') {
      return this.#download(request, { link, path });
    }
    const place = { token, link, path, node };
    if (node.kind === 'file') return showFile(request, place);
    const number = pageIn(request);
    const { entries, hasMore } = await this.#entries(request, { link, path, number });
    const leftCount = Number(request.exchange.query.get('left') ?? 0);
    const done = leftCount > 0 ? 'Thank you: it has arrived and is stored.' : undefined;
    showFolder(request, place, { entries, number, hasMore, done });
  };

  readonly post: PageHandler = async (request) => {
    const { token, action } = addressIn(request);
    if (action === 'upload') return this.#upload(request, token);
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    const { address } = exchange;
    try {
      const password = form.get('password') ?? '';
      const link = await this.#parts.links.open({ token, password, address });
      const cookie = this.#passes.issue(exchange, token, link);
      sendOn(exchange, addressOf(token, []), { 'Set-Cookie': [cookie] });
    } catch (error) {
      if (!isKind(error, 'unauthenticated') && !isKind(error, 'busy')) throw error;
      showPasswordForm(request, token, error);
    }
  };

  /** undefined: the link's password was asked for instead. */
  async #open(request: PageRequest, token: string): Promise<LinkCaller | undefined> {
    const { exchange } = request;
    const proof = this.#passes.proofOf(exchange, token);
    const { address } = exchange;
    try {
      return await this.#parts.links.open({ token, password: undefined, proof, address });
    } catch (error) {
      if (!isKind(error, 'unauthenticated')) throw error;
      showPasswordForm(request, token);
      return undefined;
    }
  }

  /** Those of one page. Entries of the pages before it are passed over, and none is kept. */
  async #entries(
    { exchange: { signal } }: PageRequest,
    { link, path, number }: { link: LinkCaller; path: readonly Name[]; number: number },
  ): Promise<{ entries: SeenEntry[]; hasMore: boolean }> {
    const entries: SeenEntry[] = [];
    let before = (number - 1) * ENTRIES_MAX;
    const { pages } = await this.#parts.files.list(link, path, { signal });
    for await (const page of pages) {
      entries.push(...page.slice(before));
      before = Math.max(0, before - page.length);
      if (entries.length > ENTRIES_MAX) break;
    }
    return { entries: entries.slice(0, ENTRIES_MAX), hasMore: entries.length > ENTRIES_MAX };
  }

  async #download(
    { exchange }: PageRequest, { link, path }: { link: LinkCaller; path: readonly Name[] },
  ): Promise<void> {
    const { files, links, instanceId } = this.#parts;
    const { node } = await files.get(link, path);
    const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(node.name)}`;
    await answerNode(exchange, node, {
      instanceId, disposition,
      open: async (wanted) => {
        const content = await files.openNode(node);
        const { address } = exchange;
        await links.countDownload(link, { node, wanted, address });
        return content;
      },
    });
  }

  async #upload(request: PageRequest, token: string): Promise<void> {
    const { exchange, visitor } = request;
    const link = await this.#open(request, token);
    if (link === undefined) return;
    const folder = pathIn(request);
    let isChecked = false;
    let leftCount = 0;
    for await (const part of formParts(exchange)) {
      if (part.name === FORM_TOKEN_FIELD) {
        checkFormToken(exchange, visitor, await textOf(part));
        isChecked = true;
        continue;
      }
      if (part.fileName === undefined || part.fileName === '') continue;
      if (!isChecked) throw unasked();
      const path = [...folder, baseName(part.fileName)];
      const { signal } = exchange;
      await leaveFile(this.#parts.files, link, { path, body: part.body, options: { signal } });
      leftCount += 1;
    }
    const address = addressOf(token, folder);
    sendOn(exchange, `${address}${address.includes('?') ? '&' : '?'}left=${leftCount}`);
  }
}

function addressIn({ exchange }: PageRequest): { token: string; action: Action } {
  const at = exchange.path.indexOf(LINK_PREFIX) + LINK_PREFIX.length;
  const [raw = '', action = '', rest] = exchange.path.slice(at).split('/');
  const isKnown = action === '' || action === 'download' || action === 'upload';
  if (isKnown && rest === undefined) return { token: decodeSegment(raw), action };
  throw new HoldfastError('not-found', 'pages/link', 'There is nothing at this address.');
}

function pathIn({ exchange }: PageRequest): Name[] {
  const raw = exchange.query.get('path') ?? '';
  return parsePath(raw.split('/').filter((name) => name !== ''));
}

/** Which page of a long folder. */
function pageIn({ exchange }: PageRequest): number {
  const raw = exchange.query.get('page') ?? '1';
  if (/^[1-9]\d{0,5}$/.test(raw)) return Number(raw);
  throw new HoldfastError('not-found', 'pages/link', 'There is no such page of this folder.');
}

/** Some browsers send the path on the visitor's disk. */
function baseName(fileName: string): Name {
  return parseName(fileName.split(/[/\\]/).at(-1) ?? '');
}

function unasked(): HoldfastError {
  const message = 'This form does not come from this server. Load the page again.';
  return new HoldfastError('denied', 'pages/link', message, { code: 'form-token' });
}
