/**
 * XML of requests as a small tree. Whatever is sent, reading it is bounded: in bytes by whoever
 * reads the body, in depth and nodes here, and a DOCTYPE, the door to entities that grow without
 * end, is refused. Text in odd places is kept in the tree, where nobody looks for it: one client
 * sends a stray letter after `</prop>` and means nothing by it.
 */
import { SaxesParser } from 'saxes';
import type { SaxesTagNS } from 'saxes';
import { HoldfastError } from '../../base/errors.ts';

export const DEPTH_MAX = 64;
export const NODES_MAX = 10_000;

export interface XmlAttribute {
  /** With its prefix, as written. */
  name: string;
  value: string;
}

export interface XmlElement {
  /** With its prefix, as written. */
  name: string;
  /** '' for none. */
  namespace: string;
  local: string;
  attributes: readonly XmlAttribute[];
  /** Declared on this very element: prefix ('' for the default) to namespace. */
  declares: Readonly<Record<string, string>>;
  children: (XmlElement | string)[];
}

/** The root element. @throws invalid: not well-formed, not UTF-8 or UTF-16, or over a limit. */
export function readXml(bytes: Uint8Array): XmlElement {
  const text = decodeXml(bytes);
  const builder = new TreeBuilder();
  const parser = new SaxesParser({
    xmlns: true, position: false, forceXMLVersion: true, defaultXMLVersion: '1.0',
  });
  parser.on('error', () => refuse('The XML in the request is not well-formed.'));
  parser.on('doctype', () => refuse('A document type is not allowed in the XML of a request.'));
  parser.on('xmldecl', ({ encoding }) => checkEncoding(encoding));
  parser.on('opentag', (tag) => builder.open(tag));
  parser.on('closetag', () => builder.close());
  parser.on('text', (piece) => builder.text(piece));
  parser.on('cdata', (piece) => builder.text(piece));
  parser.write(text).close();
  return builder.root ?? refuse('The XML in the request has no element.');
}

class TreeBuilder {
  root: XmlElement | undefined;
  readonly #open: XmlElement[] = [];
  #nodeCount = 0;

  open(tag: SaxesTagNS): void {
    const attributes: XmlAttribute[] = [];
    for (const { name, value, prefix, local } of Object.values(tag.attributes)) {
      if (prefix !== 'xmlns' && (prefix !== '' || local !== 'xmlns')) {
        attributes.push({ name, value });
      }
    }
    const { name, uri: namespace, local } = tag;
    const element = { name, namespace, local, attributes, declares: tag.ns, children: [] };
    this.#count(1 + attributes.length);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.root = element;
    else parent.children.push(element);
    this.#open.push(element);
    if (this.#open.length > DEPTH_MAX) refuse('The XML in the request is nested too deeply.');
  }

  close(): void {
    this.#open.pop();
  }

  text(piece: string): void {
    this.#count(1);
    this.#open.at(-1)?.children.push(piece);
  }

  #count(nodes: number): void {
    this.#nodeCount += nodes;
    if (this.#nodeCount > NODES_MAX) refuse('The XML in the request has too many parts.');
  }
}

function decodeXml(bytes: Uint8Array): string {
  const isUtf16 = bytes.length >= 2
    && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
  const encoding = isUtf16 ? (bytes[0] === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    return refuse('The XML in the request must be written in UTF-8.', cause);
  }
}

/** The bytes were decoded before the declaration could be read, so it must fit what was assumed. */
function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined || /^(?:utf-?8|us-ascii|utf-16(?:le|be)?)$/i.test(encoding)) return;
  refuse('The XML in the request must be written in UTF-8.');
}

function refuse(message: string, cause?: unknown): never {
  throw new HoldfastError('invalid', 'webdav/readXml', message, { code: 'xml', cause });
}

export function isElement(child: XmlElement | string): child is XmlElement {
  return typeof child !== 'string';
}

/** Child elements of one name in the namespace `DAV:`. */
export function davChildren(parent: XmlElement, local: string): XmlElement[] {
  return elementsOf(parent).filter((child) => isDav(child, local));
}

export function elementsOf(parent: XmlElement): XmlElement[] {
  return parent.children.filter(isElement);
}

export function isDav(element: XmlElement, local: string): boolean {
  return element.namespace === 'DAV:' && element.local === local;
}

/** All text directly inside. */
export function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}
