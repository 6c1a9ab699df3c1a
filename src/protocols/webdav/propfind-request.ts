/** What a PROPFIND asks for (RFC 4918, section 14.20). */
import { HoldfastError } from '../../base/errors.ts';
import { davChildren, elementsOf, isDav, readXml } from './xml-reader.ts';

export interface PropertyName {
  /** '' for none. */
  namespace: string;
  local: string;
}

export type PropfindRequest =
  | { kind: 'prop'; names: readonly PropertyName[] }
  | { kind: 'allprop'; include: readonly PropertyName[] }
  | { kind: 'propname' };

/** Names asked for twice are answered once. @throws invalid. */
export function parsePropfind(body: Uint8Array): PropfindRequest {
  if (body.length === 0) return { kind: 'allprop', include: [] };
  const root = readXml(body);
  if (!isDav(root, 'propfind')) refuse();
  const [prop] = davChildren(root, 'prop');
  if (prop !== undefined) return { kind: 'prop', names: namesIn(elementsOf(prop)) };
  if (davChildren(root, 'propname').length > 0) return { kind: 'propname' };
  if (davChildren(root, 'allprop').length === 0) refuse();
  const included = davChildren(root, 'include').flatMap(elementsOf);
  return { kind: 'allprop', include: namesIn(included) };
}

function namesIn(elements: readonly PropertyName[]): PropertyName[] {
  const names = new Map<string, PropertyName>();
  for (const { namespace, local } of elements) {
    names.set(keyOf(namespace, local), { namespace, local });
  }
  return [...names.values()];
}

/** One text for a namespace and a name: a blank cannot be part of a name. */
export function keyOf(namespace: string, local: string): string {
  return `${local} ${namespace}`;
}

function refuse(): never {
  const message = 'A PROPFIND asks by an element propfind that holds prop, allprop or propname.';
  throw new HoldfastError('invalid', 'webdav/parsePropfind', message, { code: 'xml' });
}
