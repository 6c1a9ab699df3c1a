/**
 * Whether a browser may show a file instead of saving it, and how it is told. Nothing that a user
 * has stored may run in the name of this server: what can hold a script is offered as a file, text
 * of any kind is shown as plain text, and everything is sandboxed.
 */
import type { Presented } from '../webdav/get.ts';
import { mediaTypeOf } from '../webdav/media-types.ts';

/** Never with a script in them. An SVG picture can hold one, so it is not here. */
const SHOWN = /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp)|audio\/[a-z0-9]+|video\/[a-z0-9-]+)$/;
const TEXT = /^(?:text\/[a-z]+|application\/(?:json|xml))$/;
const PDF = 'application/pdf';

const SANDBOX = "default-src 'none'; sandbox";
/** What shows a PDF is a part of the browser, which a sandbox keeps out. It runs no script of the
 *  file in our name; and nobody else frames it. */
const PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; "
  + "frame-ancestors 'self'";

export function presentedAs(name: string, wanted: 'inline' | 'attachment'): Presented {
  const attachment = { disposition: dispositionOf('attachment', name), policy: SANDBOX };
  if (wanted === 'attachment') return attachment;
  const mediaType = mediaTypeOf(name);
  const disposition = dispositionOf('inline', name);
  if (mediaType === PDF) return { disposition, mediaType, policy: PDF_POLICY };
  if (SHOWN.test(mediaType)) return { disposition, mediaType, policy: SANDBOX };
  if (!TEXT.test(mediaType)) return attachment;
  return { disposition, mediaType: 'text/plain; charset=utf-8', policy: SANDBOX };
}

/** RFC 6266. What is not plain is left out of the old form, and escaped in the new one, so that no
 *  name can end the header or begin another. */
export function dispositionOf(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9 ._()+-]/g, '_');
  const exact = encodeURIComponent(name)
    .replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`;
}
