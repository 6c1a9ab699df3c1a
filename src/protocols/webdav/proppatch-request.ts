/** What a PROPPATCH asks for (RFC 4918, section 14.19), worked out before anything is changed. */
import { HoldfastError } from '../../base/errors.ts';
import type { DeadProperty } from '../../metadata/index.ts';
import { parseHttpDate, parseUnixSeconds } from './http-date.ts';
import { DAV, findLive, NC, OC } from './live-properties.ts';
import type { PropertyName } from './propfind-request.ts';
import { keyOf } from './propfind-request.ts';
import { contentXml } from './xml-fragment.ts';
import { davChildren, elementsOf, isDav, readXml, textOf } from './xml-reader.ts';
import type { XmlElement } from './xml-reader.ts';

export interface ProppatchRequest {
  /** Every property that is named, once, in order. */
  names: readonly PropertyName[];
  /** Those that nobody may set: then nothing at all is changed. */
  refused: readonly PropertyName[];
  set: readonly DeadProperty[];
  remove: readonly { namespace: string; name: string }[];
  /** Times that follow from what is set; undefined: none do. */
  modifiedAt: number | undefined;
  createdAt: number | undefined;
}

const MICROSOFT = 'urn:schemas-microsoft-com:';

type TimeKind = 'modifiedAt' | 'createdAt';

/** Properties that clients set to give a file the times it has at home. The value is kept as it
 *  was written too, where the client will look for it. */
const TIMES: ReadonlyMap<string, TimeKind> = new Map([
  [keyOf(DAV, 'lastmodified'), 'modifiedAt'],
  [keyOf(MICROSOFT, 'Win32LastModifiedTime'), 'modifiedAt'],
  [keyOf(NC, 'creation_time'), 'createdAt'],
  [keyOf(MICROSOFT, 'Win32CreationTime'), 'createdAt'],
]);

/** Live properties that can be set all the same: what is set is what is answered. */
const WRITABLE: ReadonlySet<string> = new Set([keyOf(OC, 'favorite'), keyOf(NC, 'creation_time')]);

/** @throws invalid. */
export function parseProppatch(body: Uint8Array): ProppatchRequest {
  const root = readXml(body);
  if (!isDav(root, 'propertyupdate')) refuse();
  const wanted = new Map<string, { name: PropertyName; value: DeadProperty | undefined }>();
  const times: { modifiedAt: number | undefined; createdAt: number | undefined } = {
    modifiedAt: undefined, createdAt: undefined,
  };
  // Instructions count in the order in which they were written, so the last one on a name holds.
  for (const instruction of elementsOf(root)) {
    const isSet = isDav(instruction, 'set');
    if (!isSet && !isDav(instruction, 'remove')) continue;
    for (const prop of davChildren(instruction, 'prop')) {
      for (const element of elementsOf(prop)) {
        const { namespace, local } = element;
        const key = keyOf(namespace, local);
        const value = isSet ? deadProperty(element, [root, instruction, prop]) : undefined;
        wanted.set(key, { name: { namespace, local }, value });
        const time = TIMES.get(key);
        if (time !== undefined && isSet) times[time] = timeOf(element);
      }
    }
  }
  if (wanted.size === 0) refuse();
  return { ...sortOut([...wanted.values()]), ...times };
}

function sortOut(
  wanted: readonly { name: PropertyName; value: DeadProperty | undefined }[],
): Omit<ProppatchRequest, 'modifiedAt' | 'createdAt'> {
  const set: DeadProperty[] = [];
  const remove: { namespace: string; name: string }[] = [];
  for (const { name, value } of wanted) {
    if (value === undefined) remove.push({ namespace: name.namespace, name: name.local });
    else set.push(value);
  }
  const names = wanted.map(({ name }) => name);
  const refused = names.filter((name) =>
    findLive(name) !== undefined && !WRITABLE.has(keyOf(name.namespace, name.local)));
  return { names, refused, set, remove };
}

function deadProperty(element: XmlElement, outside: readonly XmlElement[]): DeadProperty {
  const { namespace, local: name } = element;
  return { namespace, name, xml: contentXml(element, outside) };
}

/** A value that is no date is kept as it is, and sets no time. */
function timeOf(element: XmlElement): number | undefined {
  const text = textOf(element).trim();
  return parseUnixSeconds(text) ?? parseHttpDate(text);
}

function refuse(): never {
  const message = 'A PROPPATCH holds an element propertyupdate that sets or removes properties.';
  throw new HoldfastError('invalid', 'webdav/parseProppatch', message, { code: 'xml' });
}
