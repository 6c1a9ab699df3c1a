/**
 * Answers to PROPFIND, made by a template. What is asked for is the same for every node of a
 * listing, so all that can be decided once is decided once: which properties a file or a folder
 * has, in which order, and all text that does not depend on the node. What is left per node is a
 * few calls and one string.
 */
import type { SeenEntry } from '../../files/index.ts';
import type { NodeKind } from '../../metadata/index.ts';
import { escapeAttribute } from '../xml-text.ts';
import {
  deadOf, DAV, findLive, LIVE_PROPERTIES, NC, NOT_CONSTANT, OC, OCS, PREFIXES,
} from './live-properties.ts';
import type { LiveProperty, Need, PropertyContext } from './live-properties.ts';
import type { PropertyName, PropfindRequest } from './propfind-request.ts';

export const MULTISTATUS_OPEN = '<?xml version="1.0" encoding="utf-8"?>\n'
  + `<d:multistatus xmlns:d="${DAV}" xmlns:s="http://sabredav.org/ns" xmlns:oc="${OC}" `
  + `xmlns:nc="${NC}" xmlns:ocs="${OCS}">`;
export const MULTISTATUS_CLOSE = '</d:multistatus>\n';

const FOUND_OPEN = '</d:href><d:propstat><d:prop>';
const FOUND_CLOSE = '</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>';
const MISSING_OPEN = '<d:propstat><d:prop>';
const MISSING_CLOSE = '</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>';
const RESPONSE_CLOSE = '</d:response>';

export interface Tags {
  open: string;
  close: string;
  empty: string;
}

/** The tags of a property. Its content may use no prefix but those that it declares itself. */
export function tagsOf({ namespace, local }: PropertyName): Tags {
  const known = PREFIXES[namespace];
  if (known !== undefined) return tags(`${known}:${local}`, '');
  if (namespace === '') return tags(local, '');
  return tags(`x:${local}`, ` xmlns:x="${escapeAttribute(namespace)}"`);
}

function tags(name: string, declaration: string): Tags {
  return {
    open: `<${name}${declaration}>`, close: `</${name}>`, empty: `<${name}${declaration}/>`,
  };
}

type Render = (node: SeenEntry, context: PropertyContext) => string | undefined;

interface Slot {
  /** Constant text before this property. */
  lead: string;
  /** `lead` and the opening tag. */
  open: string;
  close: string;
  empty: string;
  render: Render;
}

/** How nodes of one kind are answered. */
interface Side {
  slots: readonly Slot[];
  /** Constant text behind the last slot. */
  tail: string;
  /** Properties that no node of this kind has. */
  missing: string;
}

export interface TemplateOptions {
  request: PropfindRequest;
  context: PropertyContext;
  /** Leave out what was not found (RFC 8144, section 2.1). */
  minimal: boolean;
}

export class MultistatusTemplate {
  readonly #context: PropertyContext;
  readonly #file: Side;
  readonly #folder: Side;
  readonly #minimal: boolean;
  readonly #dead: 'none' | 'values' | 'names';

  constructor({ request, context, minimal }: TemplateOptions) {
    this.#context = context;
    this.#minimal = minimal;
    const wanted = wantedOf(request);
    const onlyNames = request.kind === 'propname';
    const make = (kind: NodeKind): Side => sideOf(kind, { wanted, context, onlyNames });
    this.#file = make('file');
    this.#folder = make('folder');
    this.#dead = onlyNames ? 'names' : request.kind === 'allprop' ? 'values' : 'none';
  }

  /** One `response` element. `href` is percent-encoded and ends with a slash for a folder. */
  render(href: string, node: SeenEntry): string {
    const side = node.kind === 'file' ? this.#file : this.#folder;
    const context = this.#context;
    let found = `<d:response><d:href>${href}${FOUND_OPEN}`;
    let missing = side.missing;
    for (const slot of side.slots) {
      const value = slot.render(node, context);
      if (value !== undefined) {
        found += slot.open + value + slot.close;
      } else {
        found += slot.lead;
        missing += slot.empty;
      }
    }
    found += side.tail;
    if (this.#dead !== 'none') found += deadXml(node, this.#dead);
    if (missing === '' || this.#minimal) return found + FOUND_CLOSE + RESPONSE_CLOSE;
    return found + FOUND_CLOSE + MISSING_OPEN + missing + MISSING_CLOSE + RESPONSE_CLOSE;
  }
}

interface Wanted {
  name: PropertyName;
  live: LiveProperty | undefined;
}

function wantedOf(request: PropfindRequest): Wanted[] {
  if (request.kind === 'propname') return LIVE_PROPERTIES.map((live) => ({ name: live, live }));
  const names = request.kind === 'prop' ? request.names : [
    ...LIVE_PROPERTIES.filter(({ inAllprop }) => inAllprop),
    ...request.include.filter((name) => findLive(name)?.inAllprop !== true),
  ];
  const wanted = names.map((name) => ({ name, live: findLive(name) }));
  // Of allprop's inclusions the dead ones are answered with all dead ones.
  return request.kind === 'prop' ? wanted : wanted.filter(({ live }) => live !== undefined);
}

/** What must be fetched for an answer, besides the nodes themselves. */
export function needsOf(request: PropfindRequest): ReadonlySet<Need> {
  const needs = new Set<Need>();
  if (request.kind !== 'prop') needs.add('dead');
  for (const { live } of wantedOf(request)) {
    const need = live === undefined ? 'dead' : live.needs;
    if (need !== undefined && (request.kind !== 'propname' || need === 'dead')) needs.add(need);
  }
  return needs;
}

function sideOf(
  kind: NodeKind,
  { wanted, context, onlyNames }: {
    wanted: readonly Wanted[]; context: PropertyContext; onlyNames: boolean;
  },
): Side {
  const slots: Slot[] = [];
  let lead = '';
  let missing = '';
  for (const { name, live } of wanted) {
    const { open, close, empty } = tagsOf(name);
    const constant = live?.constant === undefined ? NOT_CONSTANT : live.constant(kind, context);
    if (onlyNames) {
      if (constant !== undefined) lead += empty;
    } else if (constant === undefined) {
      missing += empty;
    } else if (constant !== NOT_CONSTANT) {
      lead += constant === '' ? empty : open + constant + close;
    } else {
      const render = live?.each ?? deadRender(name);
      slots.push({ lead, open: lead + open, close, empty, render });
      lead = '';
    }
  }
  return { slots, tail: lead, missing };
}

function deadRender({ namespace, local }: PropertyName): Render {
  return (node) => deadOf(node, namespace, local);
}

function deadXml({ properties }: SeenEntry, form: 'values' | 'names'): string {
  let xml = '';
  for (const { namespace, name, xml: value } of properties ?? []) {
    if (form === 'names' && findLive({ namespace, local: name }) !== undefined) continue;
    const { open, close, empty } = tagsOf({ namespace, local: name });
    xml += form === 'names' || value === '' ? empty : open + value + close;
  }
  return xml;
}
