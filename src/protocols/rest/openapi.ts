/** The OpenAPI 3.1 document, made from the operations as they are served. Pure. */
import type { TObject, TSchema } from 'typebox';
import { ProblemShape } from '../../wire/shapes.ts';
import { API_ROOT } from './operation.ts';
import type { DescribedOperation } from './operation.ts';

type Json = Record<string, unknown>;

/** Statuses that every operation can refuse with. */
const COMMON = [400, 404, 500, 503] as const;

const REFUSED: Readonly<Record<number, string>> = {
  400: 'The request is wrong.', 401: 'Nobody has signed in.', 403: 'Not allowed.',
  404: 'Not there, or not for whoever asks to see.', 405: 'Not by this method.',
  409: 'Not as things are now.', 412: 'It was changed meanwhile.',
  413: 'Over a stated limit.', 415: 'The body is of another kind.',
  416: 'There is nothing at that range.', 422: 'Well-formed, and not acceptable.',
  423: 'Somebody has locked it.', 429: 'Too many tries: wait.', 500: 'A fault of the server.',
  503: 'Cannot be done at the moment: try again.', 507: 'There is no room left.',
};

export function openApiDocument(operations: readonly DescribedOperation[]): Json {
  const schemas = new Map<string, Json>();
  const shown = (schema: TSchema): Json => referring(schema, schemas) as Json;
  shown(ProblemShape);
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = `${API_ROOT}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: entryOf(operation, shown) };
  }
  const tags = [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast', version: '1',
      description: 'All that can be done with a Holdfast server. Errors are problem documents '
        + '(RFC 9457) whose `code` is stable. Unsafe requests may carry an `Idempotency-Key`.',
    },
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of the API.' },
        password: { type: 'http', scheme: 'basic', description: 'A password or app password.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'holdfast-session' },
      },
    },
    tags,
  };
}

function entryOf(operation: DescribedOperation, shown: (schema: TSchema) => Json): Json {
  const { id, tag, summary, description, scope, deprecated, body, takesBytes } = operation;
  const content = body !== undefined ? { 'application/json': { schema: shown(body) } }
    : takesBytes === true ? { 'application/octet-stream': {} } : undefined;
  return {
    operationId: id, tags: [tag], summary,
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated: true }),
    ...(content !== undefined && { requestBody: { required: true, content } }),
    parameters: parametersOf(operation, shown),
    responses: responsesOf(operation, shown),
    security: scope === 'nobody' ? []
      : [{ token: scope === 'anybody' ? [] : [scope] }, { password: [] }, { cookie: [] }],
  };
}

function parametersOf(operation: DescribedOperation, shown: (schema: TSchema) => Json): Json[] {
  const { method, params, query, headers = {} } = operation;
  const named = isUnsafe(method) ? {
    ...headers,
    'Idempotency-Key': 'Repeated with the same key, the request is done once and answered the '
      + 'same. Also as `?idempotencyKey=`.',
  } : headers;
  return [
    ...membersOf(params, 'path', shown), ...membersOf(query, 'query', shown),
    ...Object.entries(named).map(([name, description]) =>
      ({ name, in: 'header', required: false, description, schema: { type: 'string' } })),
  ];
}

function isUnsafe(method: DescribedOperation['method']): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function membersOf(
  schema: TObject | undefined, place: string, shown: (schema: TSchema) => Json,
): Json[] {
  if (schema === undefined) return [];
  const required = new Set((schema as { required?: string[] }).required ?? []);
  const properties = schema.properties as Record<string, TSchema & { description?: string }>;
  return Object.entries(properties).map(([name, member]) => {
    const { description, ...rest } = shown(member);
    return {
      name, in: place, required: required.has(name),
      ...(description !== undefined && { description }), schema: rest,
    };
  });
}

function responsesOf(operation: DescribedOperation, shown: (schema: TSchema) => Json): Json {
  const { success, scope, refusals = [], method, body } = operation;
  const { status, also = [], description, schema, mediaType } = success;
  const content = schema !== undefined ? { 'application/json': { schema: shown(schema) } }
    : mediaType !== undefined ? { [mediaType]: {} } : undefined;
  const answers: Json = {};
  for (const one of [status, ...also]) {
    const isEmpty = one === 304 || one === 204;
    answers[one] = { description, ...(content !== undefined && !isEmpty && { content }) };
  }
  const general = [
    ...(scope === 'nobody' ? [] : [401, 403, 429]),
    ...(isUnsafe(method) ? [409, 422] : []), // Those of idempotency keys.
    ...(body === undefined ? [] : [413, 415]),
  ];
  const problem = { 'application/problem+json': { schema: shown(ProblemShape) } };
  for (const one of [...COMMON, ...general, ...refusals]) {
    answers[one] = { description: REFUSED[one] ?? 'Refused.', content: problem };
  }
  return answers;
}

/** The schema with every named one in it replaced by a reference. */
function referring(schema: unknown, schemas: Map<string, Json>): unknown {
  if (Array.isArray(schema)) return schema.map((one) => referring(one, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $id, ...rest } = schema as Json;
  const copy = (): Json => Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, referring(value, schemas)]),
  );
  if (typeof $id !== 'string') return copy();
  if (!schemas.has($id)) {
    schemas.set($id, {}); // Its place is taken, in case it holds itself.
    schemas.set($id, copy());
  }
  return { $ref: `#/components/schemas/${$id}` };
}
