/**
 * The API, served by fastify without a listener of its own: the platform's server hands requests
 * over, and deadlines, draining, metrics and the log stay its own. Fastify finds the operation, has
 * the request checked, and writes the answer.
 */
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import { leaveBody, readBounded } from '../request-body.ts';
import { httpDate } from '../webdav/http-date.ts';
import { checkedBy } from './checked.ts';
import { once } from './idempotency/once.ts';
import { openApiDocument } from './openapi.ts';
import { API_ROOT, RestApi } from './operation.ts';
import type { DescribedOperation, Resource } from './operation.ts';
import {
  PROBLEM_TYPE, faultOf, noteFault, problemHeaders, problemOf, sendProblem,
} from './problem.ts';
import { checkScope, findAsking } from './rest-auth.ts';
import { contextOf, keepContext } from './rest-context.ts';
import type { RestContext } from './rest-context.ts';
import type { RestParts } from './rest-parts.ts';

export const JSON_BYTES_MAX = 1024 * 1024;
/** Longer than any name, percent-encoded. */
const PARAMETER_CHARACTERS_MAX = 4096;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json(?:\s*;|$)/i;

export interface RestServer {
  readonly handler: HttpHandler;
  /** The OpenAPI document. */
  readonly document: object;
}

export function restServer<P extends RestParts>(
  parts: P, resources: readonly Resource<P>[],
): RestServer {
  const app = fastify({
    logger: false,
    bodyLimit: JSON_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX, ignoreTrailingSlash: true },
    frameworkErrors: (error, request) => sendProblem(contextOf(request.raw).exchange, error),
  });
  const api = new RestApi(app);
  prepare(app, parts, api.operations);
  for (const resource of resources) resource(api, parts);
  const document = openApiDocument(api.operations);
  app.get(`${API_ROOT}/openapi.json`, async (_, reply) => {
    void reply.header('Cache-Control', 'no-cache');
    return document;
  });
  let ready: PromiseLike<unknown> | undefined;
  const handler = async (exchange: Exchange): Promise<void> => {
    await (ready ??= app.ready());
    await serve(app, parts, exchange);
  };
  return { handler, document };
}

/** Resolves when the answer is out or the client gone, and nothing works on it any more. */
async function serve(app: FastifyInstance, parts: RestParts, exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  if (res.destroyed) return; // The client left before: it would never be told again.
  const running: Promise<unknown>[] = [];
  await new Promise<void>((resolve, reject) => {
    res.once('close', resolve);
    const context: RestContext = {
      exchange,
      asking: undefined,
      idempotent(given, act) {
        const user = context.asking?.caller.user;
        const acting = once(
          { store: parts.idempotency, now: parts.now }, { ...given, req, user }, act,
        );
        running.push(acting);
        return acting;
      },
      async answersItself(act) {
        const acting = act().catch((error: unknown) => sendProblem(exchange, error));
        running.push(acting);
        await acting.catch(reject);
      },
    };
    keepContext(req, context);
    app.routing(req, res);
  });
  await Promise.allSettled(running);
}

function prepare(
  app: FastifyInstance, parts: RestParts, operations: readonly DescribedOperation[],
): void {
  app.setValidatorCompiler(({ schema, httpPart }) =>
    checkedBy(schema as TSchema, httpPart as 'body'));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: { raw: Exchange['req'] } & {
    routeOptions: { config: { operation?: DescribedOperation } };
  }) => bodyFor(request.routeOptions.config.operation, contextOf(request.raw).exchange));
  app.addHook('onRequest', async (request, reply) => {
    const { operation } = request.routeOptions.config;
    void reply.headers({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    if (operation === undefined) return;
    const context = contextOf(request.raw);
    if (operation.scope !== 'nobody') {
      context.asking = await findAsking(parts, context.exchange);
    }
    checkScope(context.asking, operation);
    if (operation.deprecated !== undefined) {
      const { since, sunset } = operation.deprecated;
      void reply.headers({
        Deprecation: `@${Date.parse(since) / 1000}`, Sunset: httpDate(Date.parse(sunset)),
      });
    }
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { exchange } = contextOf(request.raw);
    const fault = faultOf(error);
    noteFault(exchange, fault, error);
    const problem = problemOf(fault, exchange.requestId);
    leaveBody(exchange.req, exchange.res);
    void reply.code(problem.status).headers(problemHeaders(fault, problem.status));
    void reply.type(PROBLEM_TYPE);
    return reply.send(JSON.stringify(problem));
  });
  app.setNotFoundHandler(async (request) => {
    throw nothingThere(request.raw.url ?? '', operations);
  });
}

/** @throws invalid: no JSON, `media-type`; too-large. */
async function bodyFor(
  operation: DescribedOperation | undefined, { req, res }: Exchange,
): Promise<unknown> {
  if (operation?.takesBytes === true) return undefined;
  if (operation?.body === undefined) {
    leaveBody(req, res);
    return undefined;
  }
  if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) {
    const message = 'The body of this request must be JSON, with the type application/json.';
    throw new HoldfastError('invalid', 'rest/bodyFor', message, { code: 'media-type' });
  }
  const text = (await readBounded(req, JSON_BYTES_MAX)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = 'The body of this request is not well-formed JSON.';
    throw new HoldfastError('invalid', 'rest/bodyFor', message, { code: 'json', cause });
  }
}

/** Nothing at this address, or nothing by this method. */
function nothingThere(url: string, operations: readonly DescribedOperation[]): HoldfastError {
  const [path = ''] = url.split('?', 1);
  const allowed = operations.filter((one) => isAt(one, path)).map(({ method }) => method);
  if (allowed.length === 0) {
    const message = 'There is nothing at this address. /api/v1/openapi.json names all there is.';
    return new HoldfastError('not-found', 'rest/router', message, { code: 'no-such-address' });
  }
  const allow = [...new Set(allowed)].join(', ');
  const message = `This address takes ${allow}.`;
  return new HoldfastError('invalid', 'rest/router', message, {
    code: 'method-unknown', facts: { allow },
  });
}

function isAt(operation: DescribedOperation, path: string): boolean {
  const wanted = `${API_ROOT}${operation.path}`.split('/');
  const given = path.split('/');
  return wanted.length === given.length
    && wanted.every((part, at) => part.startsWith('{') || part === given[at]);
}
