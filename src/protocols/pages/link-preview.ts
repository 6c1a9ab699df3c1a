/** How a file behind a link can be shown on its page, without a script and without a risk. */
import type { FileService, LinkCaller, Links, SeenNode } from '../../files/index.ts';
import { presentedAs } from '../rest/inline.ts';

export type FilePreview =
  | { readonly kind: 'image' | 'video' | 'audio' | 'pdf' }
  | { readonly kind: 'text'; readonly text: string; readonly isCut: boolean };

export type PreviewKind = FilePreview['kind'];

const TEXT_BYTES_MAX = 64 * 1024;
const IMAGE_BYTES_MAX = 50_000_000;

/** undefined: it cannot be shown, or only at a price: what is shown counts as a download, so that
 *  where these are numbered nothing is shown unasked. */
export function previewKindOf(link: LinkCaller, node: SeenNode): PreviewKind | undefined {
  const isFree = link.terms.downloadsMax === undefined;
  if (node.sight?.access.download !== true || !isFree || node.sizeBytes === 0) return undefined;
  const { disposition = '', mediaType = '' } = presentedAs(node.name, 'inline');
  if (!disposition.startsWith('inline')) return undefined;
  const [group = ''] = mediaType.split('/');
  if (group === 'image') return node.sizeBytes <= IMAGE_BYTES_MAX ? group : undefined;
  if (group === 'video' || group === 'audio' || group === 'text') return group;
  return mediaType === 'application/pdf' ? 'pdf' : undefined;
}

export interface PreviewParts {
  files: FileService;
  links: Links;
}

export interface Wanted {
  link: LinkCaller;
  node: SeenNode;
  /** Of the visitor. */
  address: string;
  signal: AbortSignal;
}

/** The beginning of a text is read here; all else comes by an address of its own.
 *  @throws as FileService.openNode and Links.countDownload. */
export async function previewOf(
  { files, links }: PreviewParts, { link, node, address, signal }: Wanted,
): Promise<FilePreview | undefined> {
  const kind = previewKindOf(link, node);
  if (kind === undefined || kind !== 'text') return kind && { kind };
  const wanted = { startBytes: 0, endBytes: Math.min(node.sizeBytes, TEXT_BYTES_MAX) };
  const content = await files.openNode(node);
  await links.countDownload(link, { node, wanted, address });
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(wanted, signal)) pieces.push(Buffer.from(piece));
  const isCut = wanted.endBytes < node.sizeBytes;
  const text = new TextDecoder().decode(Buffer.concat(pieces), { stream: isCut });
  return { kind, text, isCut };
}
