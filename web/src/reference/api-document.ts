/** The OpenAPI document, as far as this page reads it. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Entry {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

export interface Answer {
  readonly description: string;
  readonly content?: Content;
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly tags: readonly { readonly name: string }[];
}

export interface Operation extends Omit<Entry, 'requestBody' | 'tags'> {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  /** `json`: with the shape; `bytes`: the content of a file. */
  readonly body: { readonly kind: 'json'; readonly schema: Schema }
    | { readonly kind: 'bytes'; readonly mediaType: string } | undefined;
  /** Scope that a token needs; '' for any; undefined: nobody needs to sign in. */
  readonly scope: string | undefined;
}

export function operationsOf({ paths }: ApiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, entries]) =>
    Object.entries(entries).map(([method, { requestBody, tags, ...entry }]) => ({
      ...entry, path, method: method.toUpperCase(), tag: tags[0] ?? '',
      body: bodyOf(requestBody?.content), scope: scopeOf(entry.security),
    })));
}

function bodyOf(content: Content | undefined): Operation['body'] {
  if (content === undefined) return undefined;
  const schema = content['application/json']?.schema;
  if (schema !== undefined) return { kind: 'json', schema };
  return { kind: 'bytes', mediaType: Object.keys(content)[0] ?? 'application/octet-stream' };
}

function scopeOf(security: Entry['security']): string | undefined {
  if (security.length === 0) return undefined;
  return security.find((one) => one['token'] !== undefined)?.['token']?.[0] ?? '';
}

const REFERENCE = '#/components/schemas/';

/** The schema itself, and the name it has in the document. */
export function resolve(
  schema: Schema, { components }: ApiDocument,
): { schema: Schema; name: string | undefined } {
  const { $ref } = schema;
  if ($ref?.startsWith(REFERENCE) !== true) return { schema, name: undefined };
  const name = $ref.slice(REFERENCE.length);
  return { schema: components.schemas[name] ?? {}, name };
}
