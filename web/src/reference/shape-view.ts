/** A schema as a list of members that people can read. */
import { resolve } from './api-document.ts';
import type { ApiDocument, Schema } from './api-document.ts';
import { el, marked } from './elements.ts';

const DEPTH_MAX = 6;

/** In a few words: `string`, `list of Node`, `"file" or "folder"`. */
export function typeText(given: Schema, document: ApiDocument): string {
  const { schema, name } = resolve(given, document);
  const { const: fixed, enum: words, items, type } = schema;
  if (fixed !== undefined) return JSON.stringify(fixed);
  if (words !== undefined) return words.map((word) => JSON.stringify(word)).join(' or ');
  if (type === 'array') {
    return `list of ${items === undefined ? 'anything' : typeText(items, document)}`;
  }
  if (name !== undefined) return name;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((one) => typeText(one, document)).join(' or ');
  if (schema.format === 'date-time') return 'time';
  if (Array.isArray(type)) return type.join(' or ');
  return typeof type === 'string' ? type : 'anything';
}

/** What the schema allows besides its type; '' for nothing worth saying. */
export function limitsText(given: Schema, document: ApiDocument): string {
  const { schema } = resolve(given, document);
  const { minimum, maximum, minLength = 0, maxLength, maxItems, default: usual } = schema;
  const said: string[] = [];
  if (minimum !== undefined && maximum !== undefined) said.push(`${minimum} to ${maximum}`);
  else if (minimum !== undefined) said.push(`at least ${minimum}`);
  else if (maximum !== undefined) said.push(`at most ${maximum}`);
  if (maxLength !== undefined && schema.format === undefined) {
    said.push(`${minLength} to ${maxLength} characters`);
  }
  if (maxItems !== undefined) said.push(`at most ${maxItems}`);
  if (usual !== undefined) said.push(`${JSON.stringify(usual)} when left out`);
  return said.join(', ');
}

/** The members of an object, of what a list holds, or of each choice; undefined: it has none. */
export function membersView(
  given: Schema, document: ApiDocument, depth = 0,
): HTMLElement | undefined {
  const { schema } = resolve(given, document);
  if (schema.items !== undefined) return membersView(schema.items, document, depth);
  const choices = (schema.anyOf ?? schema.oneOf)
    ?.map((one) => membersView(one, document, depth)).filter((one) => one !== undefined) ?? [];
  if (choices.length > 0) {
    const parts = choices.flatMap((one, at) =>
      at === 0 ? [one] : [el('p', { class: 'or', text: 'or' }), one]);
    return el('div', {}, ...parts);
  }
  const { properties, required = [] } = schema;
  if (properties === undefined || depth >= DEPTH_MAX) return undefined;
  return el('ul', { class: 'members' }, ...Object.entries(properties).map(([name, member]) =>
    memberView({ name, member, isRequired: required.includes(name) }, document, depth)));
}

function memberView(
  { name, member, isRequired }: { name: string; member: Schema; isRequired: boolean },
  document: ApiDocument, depth: number,
): HTMLElement {
  const limits = limitsText(member, document);
  const description = member.description ?? resolve(member, document).schema.description;
  return el('li', {},
    el('code', { class: 'name', text: name }),
    el('span', { class: 'type', text: typeText(member, document) }),
    isRequired ? undefined : el('span', { class: 'optional', text: 'optional' }),
    limits === '' ? undefined : el('span', { class: 'limits', text: limits }),
    description === undefined ? undefined : el('p', {}, ...marked(description)),
    deeper(member, document, depth));
}

/** Made when somebody looks into it. */
function deeper(member: Schema, document: ApiDocument, depth: number): HTMLElement | undefined {
  if (!hasMembers(member, document) || depth + 1 >= DEPTH_MAX) return undefined;
  const details = el('details', { class: 'deeper' }, el('summary', { text: 'Its members' }));
  details.addEventListener('toggle', () => {
    details.append(membersView(member, document, depth + 1) ?? '');
  }, { once: true });
  return details;
}

function hasMembers(given: Schema, document: ApiDocument): boolean {
  const { schema } = resolve(given, document);
  if (schema.items !== undefined) return hasMembers(schema.items, document);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.some((one) => hasMembers(one, document));
  return schema.properties !== undefined;
}
