/**
 * The content of an element as XML that means the same wherever it is put: every namespace that
 * was in scope is declared again on the outermost elements, with the prefixes that the client
 * chose, since values may use those (RFC 4918, section 4.3).
 */
import { escapeAttribute, escapeText } from '../xml-text.ts';
import type { XmlElement } from './xml-reader.ts';

type Scope = Readonly<Record<string, string>>;

/** `outside`: the elements around `element`, outermost first. */
export function contentXml(element: XmlElement, outside: readonly XmlElement[]): string {
  const scope: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { declares } of [...outside, element]) Object.assign(scope, declares);
  return childrenXml(element, scope);
}

function childrenXml(element: XmlElement, scope: Scope): string {
  let xml = '';
  for (const child of element.children) {
    xml += typeof child === 'string' ? escapeText(child) : elementXml(child, scope);
  }
  return xml;
}

/** `scope`: what an outermost element must declare; below it each declares its own. */
function elementXml(element: XmlElement, scope: Scope): string {
  const { name } = element;
  let tag = `<${name}`;
  for (const [prefix, uri] of Object.entries(declarationsOf(element, scope))) {
    tag += prefix === '' ? ` xmlns="${escapeAttribute(uri)}"`
      : ` xmlns:${prefix}="${escapeAttribute(uri)}"`;
  }
  for (const attribute of element.attributes) {
    tag += ` ${attribute.name}="${escapeAttribute(attribute.value)}"`;
  }
  const content = childrenXml(element, NOTHING);
  return content === '' ? `${tag}/>` : `${tag}>${content}</${name}>`;
}

const NOTHING: Scope = Object.freeze(Object.create(null) as Record<string, string>);

function declarationsOf(element: XmlElement, scope: Scope): Record<string, string> {
  const all = Object.assign(Object.create(null) as Record<string, string>, scope, element.declares);
  // The prefix `xml` is bound everywhere and `xmlns` must not be. No default is the default.
  delete all['xml'];
  delete all['xmlns'];
  if (scope !== NOTHING && all[''] === '') delete all[''];
  return all;
}
