/** Values that a schema would take: something to begin with. Pure. */
import { resolve } from './api-document.ts';
import type { ApiDocument, Schema } from './api-document.ts';

const DEPTH_MAX = 5;
const TIME = '2026-11-21T12:00:00.000Z';

/** Words for members whose schema says only that they are text. */
const WORDS: Readonly<Record<string, string>> = {
  id: '42', name: 'notes.txt', path: '/notes.txt', displayName: 'Ada', etag: '"42-1"',
  url: 'https://example.org/hook', mediaType: 'text/plain', address: 'ada@example.org',
};

/** `isWhole`: with the members that may be left out. */
export function exampleOf(
  schema: Schema, document: ApiDocument, { isWhole }: { isWhole: boolean },
): unknown {
  return valueOf(schema, { document, isWhole, name: '', depth: 0 });
}

interface Place {
  document: ApiDocument;
  isWhole: boolean;
  name: string;
  depth: number;
}

function valueOf(given: Schema, place: Place): unknown {
  const { schema } = resolve(given, place.document);
  const { const: fixed, default: usual, enum: words, items, properties, type } = schema;
  if (fixed !== undefined) return fixed;
  if (usual !== undefined) return usual;
  if (words !== undefined) return words[0];
  const choice = (schema.anyOf ?? schema.oneOf)?.[0];
  if (choice !== undefined) return valueOf(choice, place);
  if (type === 'array') {
    const isDeep = items === undefined || place.depth >= DEPTH_MAX;
    return isDeep ? [] : [valueOf(items, { ...place, depth: place.depth + 1 })];
  }
  if (properties !== undefined) return objectOf(schema, place);
  return plainValue(schema, place.name);
}

function objectOf({ properties = {}, required = [] }: Schema, place: Place): unknown {
  if (place.depth >= DEPTH_MAX) return {};
  const members = Object.entries(properties)
    .filter(([name]) => place.isWhole || required.includes(name));
  return Object.fromEntries(members.map(([name, member]) =>
    [name, valueOf(member, { ...place, name, depth: place.depth + 1 })]));
}

function plainValue({ type, format, minimum, minLength = 0 }: Schema, name: string): unknown {
  const [first] = Array.isArray(type) ? type as string[] : [type as string | undefined];
  switch (first) {
    case 'integer': case 'number': return Math.max(minimum ?? 0, 0);
    case 'boolean': return true;
    case 'null': return null;
    case 'object': return {};
    default: {
      if (format === 'date-time') return TIME;
      const word = WORDS[name] ?? (name.endsWith('Id') ? '42' : 'text');
      return word.padEnd(minLength, '0');
    }
  }
}
