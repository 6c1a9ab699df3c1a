/**
 * Does what a keyed request asks for once, however often it arrives. The key is noted on disk
 * before, and the answer after: a request that came twice because an answer got lost is answered
 * the same again.
 *
 * A refusal that changed nothing is not kept: the same request may be tried again. Where something
 * was changed before it, or nobody can know, a repeated request is told that.
 */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HoldfastError } from '../../../base/errors.ts';
import type { UserId } from '../../../base/ids.ts';
import { Effects } from '../../../platform/index.ts';
import type { RestAnswer } from '../operation.ts';
import { ANSWER_BYTES_MAX } from './idempotency-store.ts';
import type { IdempotencyStore, KeptAnswer, KeyedRequest } from './idempotency-store.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const KEY = /^[\x21-\x7e]{1,200}$/;
/** Headers that make a request another one. */
const TELLING = [
  'content-type', 'if-match', 'if-none-match', 'if-unmodified-since', 'upload-offset',
  'upload-metadata',
] as const;
/** Of bodies that are not looked at here. */
const TELLING_OF_BYTES = ['content-length', 'repr-digest', 'digest'] as const;
/** Fields of a body that are left out of what is kept: a password could be guessed from a hash. */
const SECRET = /password|secret|^code$/i;

export interface OnceParts {
  store: IdempotencyStore;
  now: () => number;
}

export interface OnceRequest {
  req: IncomingMessage;
  user: UserId | undefined;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
  /** Its answer holds a secret, which is not written to any disk. */
  answersSecret: boolean;
  /** The status when the answer names none. */
  status: number;
}

/** @throws invalid: a bad key, `idempotency-reuse`; conflict `idempotency-busy`,
 *  `idempotency-unknown`, `idempotency-done`; as `act`. */
export async function once<B>(
  { store, now }: OnceParts, given: OnceRequest, act: () => Promise<RestAnswer<B>>,
): Promise<RestAnswer<B>> {
  const key = keyOf(given);
  const { req, user } = given;
  if (key === undefined || user === undefined || SAFE.has(req.method ?? '')) return act();
  const request = { user, key, fingerprint: fingerprintOf(given) };
  const state = await store.begin(request, now());
  if (state.kind === 'done') return again(state.answer) as RestAnswer<B>;
  if (state.kind !== 'begun') throw refusal(state.kind);
  const answer = await attempt(store, request, act);
  await store.finish(request, keptOf(answer, given));
  return answer;
}

async function attempt<B>(
  store: IdempotencyStore, request: KeyedRequest, act: () => Promise<RestAnswer<B>>,
): Promise<RestAnswer<B>> {
  const effects = new Effects();
  try {
    return await effects.watch(act);
  } catch (error) {
    const isKnown = error instanceof HoldfastError
      && error.kind !== 'internal' && error.kind !== 'corrupt';
    if (isKnown && !effects.isSeen) await store.forget(request);
    else await store.lose(request);
    throw error;
  }
}

function keyOf({ req, query }: OnceRequest): string | undefined {
  const raw = req.headers['idempotency-key'] ?? query['idempotencyKey'];
  if (raw === undefined) return undefined;
  if (typeof raw === 'string' && KEY.test(raw)) return raw;
  const message = 'An idempotency key has 1 to 200 visible characters of ASCII.';
  throw new HoldfastError('invalid', 'rest/once', message, { code: 'idempotency-key' });
}

function fingerprintOf({ req, query, body }: OnceRequest): string {
  const { idempotencyKey: _, ...rest } = query;
  const [path] = (req.url ?? '').split('?', 1);
  const names = body === undefined ? [...TELLING, ...TELLING_OF_BYTES] : TELLING;
  const headers = names.map((name) => req.headers[name] ?? null);
  const told = [req.method, path, rest, headers, body ?? null];
  return hash('sha256', JSON.stringify(told, withoutSecret), 'hex');
}

function withoutSecret(name: string, value: unknown): unknown {
  return typeof value === 'string' && SECRET.test(name) ? '' : value;
}

function keptOf<B>(answer: RestAnswer<B>, given: OnceRequest): KeptAnswer {
  const { status = given.status, headers = {}, body } = answer;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const names = Object.keys(headers);
  const isSecret = names.some((name) => name.toLowerCase() === 'set-cookie')
    || (given.answersSecret && text !== undefined);
  const isWhole = !isSecret && Buffer.byteLength(text ?? '') <= ANSWER_BYTES_MAX;
  return { status, headers: isWhole ? headers : {}, body: isWhole ? text : undefined, isWhole };
}

function again({ status, headers, body, isWhole }: KeptAnswer): RestAnswer {
  if (!isWhole) {
    const message = 'This was done already. Its answer is not kept: look at what is there.';
    throw new HoldfastError('conflict', 'rest/once', message, { code: 'idempotency-done' });
  }
  const replayed = { ...headers, 'Idempotency-Replayed': 'true' };
  if (body === undefined) return { status, headers: replayed };
  return { status, headers: replayed, body: JSON.parse(body) as unknown };
}

function refusal(kind: 'busy' | 'other' | 'unknown'): HoldfastError {
  const op = 'rest/once';
  if (kind === 'other') {
    const message = 'This idempotency key was used with another request. Choose a new one.';
    return new HoldfastError('invalid', op, message, { code: 'idempotency-reuse' });
  }
  if (kind === 'busy') {
    const message = 'This request is being worked on. Ask again in a moment.';
    return new HoldfastError('conflict', op, message, { code: 'idempotency-busy' });
  }
  const message = 'This request was begun, and the server cannot say how it ended. Look whether it '
    + 'was done; if not, send it again with a new key.';
  return new HoldfastError('conflict', op, message, { code: 'idempotency-unknown' });
}
