/**
 * An operation of the API, declared once: its address, what it takes and answers, what it needs,
 * and what it does. The server, the OpenAPI document and the client are all made from this.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import { Type } from 'typebox';
import type { Asking, RestRequest, Scope } from './rest-parts.ts';
import { contextOf } from './rest-context.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

const NOTHING = Type.Object({}, { additionalProperties: false });
type Nothing = typeof NOTHING;

/** What an operation answers when it succeeds. */
export interface RestAnswer<Body = unknown> {
  readonly status?: number;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Success<A extends TSchema> {
  /** The usual one. */
  readonly status: number;
  /** Others that mean success too, with the same body. */
  readonly also?: readonly number[];
  readonly description: string;
  /** undefined: no body, or what `mediaType` says. */
  readonly schema?: A;
  /** Of a body that is no JSON. */
  readonly mediaType?: string;
}

interface Declared {
  /** A verb and a noun: what the client's method is called. Never changed, never used again. */
  readonly id: string;
  readonly tag: string;
  readonly method: Method;
  /** Below /api/v1, with `{name}` for a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** `nobody`: also for those who have not signed in; `anybody`: all who have. */
  readonly scope: Scope | 'nobody' | 'anybody';
  /** Refusals besides 400, 401, 403, 404 and 500, which any operation may answer. */
  readonly refusals?: readonly number[];
  /** Request headers that mean something, for the document. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A date (2027-01-31) after which it will be gone: see docs/api.md. */
  readonly deprecated?: { readonly since: string; readonly sunset: string };
}

export interface Operation<
  P extends TObject = Nothing, Q extends TObject = Nothing,
  B extends TSchema = TSchema, A extends TSchema = TSchema,
> extends Declared {
  readonly params?: P;
  readonly query?: Q;
  /** A body of JSON, and what must be in it. */
  readonly body?: B;
  /** The body is a file's content, and `answer` takes it from the exchange. */
  readonly takesBytes?: boolean;
  /** What it answers holds a secret that is told once: no disk of ours keeps it. */
  readonly answersSecret?: boolean;
  readonly success: Success<A>;
  answer(
    request: RestRequest<Static<P>, Static<Q>, Static<B>>,
  ): Promise<RestAnswer<Static<A>>>;
}

/** Answers on `exchange.res` by itself: bytes, streams. It resolves when the answer is out; what
 *  it throws before the answer has begun becomes a problem document. */
export interface RawOperation<
  P extends TObject = Nothing, Q extends TObject = Nothing,
> extends Declared {
  readonly params?: P;
  readonly query?: Q;
  readonly success: Success<TSchema>;
  answerRaw(request: RestRequest<Static<P>, Static<Q>, undefined>): Promise<void>;
}

/** All of an operation that the document needs. */
export interface DescribedOperation extends Declared {
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  readonly takesBytes?: boolean;
  readonly success: Success<TSchema>;
}

/** What a route carries along in fastify. */
export interface RouteConfig {
  readonly operation: DescribedOperation;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: DescribedOperation;
  }
}

export const API_ROOT = '/api/v1';

/** Where the operations of one server gather. */
export class RestApi {
  readonly operations: DescribedOperation[] = [];
  readonly #app: FastifyInstance;

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  /** Declares an operation that answers with JSON, or with nothing. */
  operation<
    P extends TObject = Nothing, Q extends TObject = Nothing,
    B extends TSchema = TSchema, A extends TSchema = TSchema,
  >(operation: Operation<P, Q, B, A>): void {
    const { success } = operation;
    this.#add(operation, async (request, reply) => {
      const context = contextOf(request.raw);
      const { exchange, asking } = context;
      const { params, query, body } = request as {
        params: Static<P>; query: Static<Q> & object; body: Static<B>;
      };
      const given = { ...(asking as Asking), exchange, params, query, body };
      const answer = await context.idempotent({
        query, body, status: success.status, answersSecret: operation.answersSecret === true,
      }, () => operation.answer(given));
      const { headers, body: answered } = answer;
      const status = answer.status ?? success.status;
      void reply.code(status);
      if (headers !== undefined) void reply.headers(headers);
      return answered === undefined ? reply.send() : reply.send(answered);
    });
  }

  /** Declares an operation that answers by itself. */
  raw<P extends TObject = Nothing, Q extends TObject = Nothing>(
    operation: RawOperation<P, Q>,
  ): void {
    this.#add(operation, async (request, reply) => {
      const context = contextOf(request.raw);
      const { exchange, asking } = context;
      const { params, query } = request as { params: Static<P>; query: Static<Q> };
      void reply.hijack();
      await context.answersItself(() => operation.answerRaw({
        ...(asking as Asking), exchange, params, query, body: undefined,
      }));
    });
  }

  /** Names an operation in the document that a route of its own answers. */
  announce(operation: DescribedOperation): void {
    this.operations.push(operation);
  }

  #add(
    operation: DescribedOperation,
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ): void {
    this.operations.push(operation);
    const { method, path, params, query, body } = operation;
    const route: RouteOptions = {
      method, url: `${API_ROOT}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      schema: {
        params: params ?? NOTHING, querystring: queryOf(query ?? NOTHING),
        ...(body !== undefined && { body }),
      },
      config: { operation }, handler, exposeHeadRoute: method === 'GET',
    };
    this.#app.route(route);
  }
}

/** A key may come in the query, where headers cannot be set. */
function queryOf(query: TObject): TObject {
  return Type.Object({
    ...query.properties, idempotencyKey: Type.Optional(Type.String({ maxLength: 200 })),
  }, { additionalProperties: false });
}

/** One resource: declares its operations. */
export type Resource<Parts> = (api: RestApi, parts: Parts) => void;
