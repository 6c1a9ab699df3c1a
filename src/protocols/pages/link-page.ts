/** The page behind a public link, `/s/TOKEN`: looking, downloading, leaving files. No script. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';
import { parseName, parsePath } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import { leaveFile } from '../../files/index.ts';
import type {
  BodySource, FileService, FolderZips, LinkCaller, Links, SeenEntry, SeenNode,
} from '../../files/index.ts';
import type { Identity } from '../../identity/index.ts';
import type { Clock, Exchange } from '../../platform/index.ts';
import { decodeSegment } from '../paths.ts';
import { presentedAs } from '../rest/inline.ts';
import { sendZip } from '../rest/zip-answer.ts';
import { answerNode } from '../webdav/get.ts';
import { formParts, textOf } from './form-stream.ts';
import type { FormPart } from './form-stream.ts';
import { FORM_TOKEN_FIELD, sendOn } from './layout.ts';
import { ENTRIES_MAX, showFolder } from './link-folder-view.ts';
import { LinkPasses } from './link-passes.ts';
import { previewOf } from './link-preview.ts';
import { LinkReceipts } from './link-receipts.ts';
import type { ArrivedFile, FailedFile } from './link-receipts.ts';
import { addressOf, showFile, showPasswordForm } from './link-view.ts';
import type { PageHandler, PageRequest } from './page-request.ts';
import { checkFormToken, readForm } from './page-session.ts';

export const LINK_PREFIX = '/s/';

export interface LinkPageParts {
  files: FileService;
  links: Links;
  identity: Identity;
  zips: FolderZips;
  clock: Clock;
  instanceId: string;
}

const ACTIONS = ['', 'download', 'view', 'zip', 'upload'] as const;
type Action = (typeof ACTIONS)[number];

interface Place {
  link: LinkCaller;
  path: readonly Name[];
}

export class LinkPages {
  readonly #parts: LinkPageParts;
  readonly #passes: LinkPasses;
  readonly #receipts: LinkReceipts;

  constructor(parts: LinkPageParts) {
    this.#parts = parts;
    this.#passes = new LinkPasses(parts.identity.sealFor('link pass'), parts.clock);
    this.#receipts = new LinkReceipts(parts.clock);
  }

  readonly get: PageHandler = async (request) => {
    const { token, action } = addressIn(request);
    const link = await this.#open(request, token);
    if (link === undefined) return;
    const path = pathIn(request);
    const { exchange } = request;
    if (action === 'zip') return this.#zip(exchange, { link, path });
    const { node } = await this.#parts.files.get(link, path);
    if ((action === 'download' || action === 'view') && node.kind === 'file') {
      return this.#hand(exchange, { link, node, as: action });
    }
    const root = path.length === 0 ? node : (await this.#parts.files.get(link, [])).node;
    // What is shared as a whole may be a team's folder, whose root has no name.
    const rootName = link.terms.label ?? (root.name === '' ? 'Shared folder' : root.name);
    const place = { token, link, path, node, rootName };
    if (node.kind === 'file') {
      const { address, signal } = exchange;
      return showFile(request, place, await previewOf(this.#parts, {
        link, node, address, signal,
      }));
    }
    const number = pageIn(request);
    const { entries, hasMore } = await this.#entries(request, { link, path, number });
    const leftCount = Number(exchange.query.get('left') ?? 0);
    const receipt = this.#receipts.find(token, exchange.query.get('receipt'));
    showFolder(request, place, { entries, number, hasMore, leftCount, receipt });
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

  /** A file's bytes: to keep, or to show within its page. */
  async #hand(
    exchange: Exchange,
    { link, node, as }: { link: LinkCaller; node: SeenNode; as: 'download' | 'view' },
  ): Promise<void> {
    const { files, links, instanceId } = this.#parts;
    if (node.sight?.access.download !== true) throw keptBack();
    const presented = as === 'view' ? presentedAs(node.name, 'inline')
      : { disposition: `attachment; filename*=UTF-8''${encodedName(node.name)}` };
    await answerNode(exchange, node, {
      instanceId, ...presented,
      open: async (wanted) => {
        const content = await files.openNode(node);
        const { address } = exchange;
        await links.countDownload(link, { node, wanted, address });
        return content;
      },
    });
  }

  /** A folder with all that is in it. It counts as one download. */
  async #zip(exchange: Exchange, { link, path }: Place): Promise<void> {
    const { files, links, zips } = this.#parts;
    const { node } = await files.get(link, path);
    const zip = await zips.open(link, path, exchange.signal);
    try {
      await sendZip(exchange, zip, async (wanted) => {
        const { spaceId, id, contentRev, name } = node;
        const { sizeBytes } = zip;
        const { address } = exchange;
        await links.countDownload(link, {
          node: { spaceId, id, contentRev, name, sizeBytes }, wanted, address,
        });
      });
    } finally {
      zip.close();
    }
  }

  async #upload(request: PageRequest, token: string): Promise<void> {
    const { exchange, visitor } = request;
    const link = await this.#open(request, token);
    if (link === undefined) return;
    const path = pathIn(request);
    let isChecked = false;
    const arrived: ArrivedFile[] = [];
    const failed: (FailedFile & { error: HoldfastError })[] = [];
    for await (const part of formParts(exchange)) {
      if (part.name === FORM_TOKEN_FIELD) {
        checkFormToken(exchange, visitor, await textOf(part));
        isChecked = true;
        continue;
      }
      if (part.fileName === undefined || part.fileName === '') continue;
      if (!isChecked) throw unasked();
      const name = lastOf(part.fileName);
      try {
        arrived.push(await this.#leave(exchange, { link, path }, part));
      } catch (error) {
        if (!isOfOneFile(error)) throw error;
        failed.push({ name, reason: error.message, error });
      }
    }
    if (arrived.length === 0 && failed[0] !== undefined) throw failed[0].error;
    const reasons = failed.map(({ name, reason }) => ({ name, reason }));
    const receipt = this.#receipts.keep(token, { arrived, failed: reasons });
    const address = addressOf(token, path);
    const sign = address.includes('?') ? '&' : '?';
    sendOn(exchange, `${address}${sign}receipt=${receipt}&left=${arrived.length}`);
  }

  async #leave(
    { signal }: Exchange, { link, path }: Place, { fileName = '', body }: FormPart,
  ): Promise<ArrivedFile> {
    const name = parseName(lastOf(fileName));
    let sizeBytes = 0;
    const counted: BodySource = {
      lengthBytes: body.lengthBytes,
      pour: (take, stop) => body.pour((piece) => {
        sizeBytes += piece.length;
        return take(piece);
      }, stop),
    };
    await leaveFile(this.#parts.files, link, {
      path: [...path, name], body: counted, options: { signal },
    });
    return { name, sizeBytes };
  }
}

/** What is wrong with one file need not be wrong with the next. */
const OF_ONE_FILE: readonly ErrorKind[] = [
  'invalid', 'too-large', 'conflict', 'precondition', 'quota',
];

function isOfOneFile(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && OF_ONE_FILE.includes(error.kind)
    && error.code !== 'body-cut';
}

function addressIn({ exchange }: PageRequest): { token: string; action: Action } {
  const at = exchange.path.indexOf(LINK_PREFIX) + LINK_PREFIX.length;
  const [raw = '', action = '', rest] = exchange.path.slice(at).split('/');
  const known = ACTIONS.find((one) => one === action);
  if (known !== undefined && rest === undefined) {
    return { token: decodeSegment(raw), action: known };
  }
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
function lastOf(fileName: string): string {
  return fileName.split(/[/\\]/).at(-1) ?? '';
}

/** RFC 8187: nothing in a name can end the value. */
function encodedName(name: string): string {
  return encodeURIComponent(name)
    .replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function keptBack(): HoldfastError {
  return new HoldfastError('denied', 'pages/link', 'This can be seen here, and not downloaded.');
}

function unasked(): HoldfastError {
  const message = 'This form does not come from this server. Load the page again.';
  return new HoldfastError('denied', 'pages/link', message, { code: 'form-token' });
}
