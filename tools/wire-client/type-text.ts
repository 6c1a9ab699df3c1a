/** JSON schemas as types of TypeScript. Pure. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
}

const COLUMNS_MAX = 100;

/** Said of so many members that it would only be in the way: see src/wire/shapes.ts. */
const SAID_OFTEN = new Set([
  'An id. Opaque: compare it and give it back.', 'ISO 8601, UTC, with milliseconds.',
  'A number of bytes.', 'There is more: ask for it with this.',
]);

const PLAIN: Readonly<Record<string, string>> = {
  string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null',
};

/** `indent` is that of the line it stands on. */
export function typeOf(schema: Schema, indent: string): string {
  const { $ref, enum: words, anyOf, oneOf, allOf, items, properties, type } = schema;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  if (schema.const !== undefined) return quoted(schema.const);
  if (words !== undefined) return union(words.map(quoted), indent);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return union(choices.map((one) => typeOf(one, `${indent}  `)), indent);
  if (allOf !== undefined) return allOf.map((one) => typeOf(one, indent)).join(' & ');
  if (type === 'array') {
    const item = items === undefined ? 'unknown' : typeOf(items, indent);
    return /^[\w']+$/.test(item) ? `${item}[]` : `(${item})[]`;
  }
  if (properties !== undefined) return objectOf(schema, indent);
  if (type === 'object') return recordOf(schema, indent);
  if (Array.isArray(type)) return type.map((one) => PLAIN[one] ?? 'unknown').join(' | ');
  return type === undefined ? 'unknown' : PLAIN[type] ?? 'unknown';
}

function objectOf({ properties = {}, required = [] }: Schema, indent: string): string {
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
    const mark = required.includes(name) ? '' : '?';
    return `${docLines(schema.description, `${indent}  `)}${indent}  ${key}${mark}: ${
      typeOf(schema, `${indent}  `)};\n`;
  });
  return `{\n${members.join('')}${indent}}`;
}

function recordOf({ additionalProperties: rest }: Schema, indent: string): string {
  return `Record<string, ${typeof rest === 'object' ? typeOf(rest, indent) : 'unknown'}>`;
}

function union(members: readonly string[], indent: string): string {
  const line = members.join(' | ');
  if (line.length + indent.length < COLUMNS_MAX - 40) return line;
  return members.map((one) => `\n${indent}  | ${one}`).join('');
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'`
    : JSON.stringify(value);
}

/** A comment in lines of the house's length; '' for none. */
export function docLines(text: string | undefined, indent: string): string {
  if (text === undefined || text === '' || SAID_OFTEN.has(text)) return '';
  const words = text.replaceAll('*/', '* /').split(/\s+/);
  const lines: string[] = [];
  let line = `${indent}/**`;
  for (const word of words) {
    if (line.length + word.length + 4 > COLUMNS_MAX) {
      lines.push(line);
      line = `${indent} *  ${word}`;
    } else {
      line += ` ${word}`;
    }
  }
  return `${[...lines, `${line} */`].join('\n')}\n`;
}
