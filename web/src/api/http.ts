/** One request to the server: what every call does besides its own, and two errors for all that can
 *  go wrong. */
import { ApiProblem } from '../../../src/wire/client.ts';
import { connection } from './connection.ts';

export const API = '/api/v1';

/** The server has answered, and said no: an RFC 9457 problem. */
export { ApiProblem as Problem } from '../../../src/wire/client.ts';

/** Nobody has answered. Whether the request was carried out is not known. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export const AWAY = 'The server cannot be reached.';

/** A proxy answers for a server that is away, or the server itself while it starts: neither with a
 *  problem, which says what is wrong. */
export function isAway(status: number, mediaType: string | null): boolean {
  return [502, 503, 504].includes(status) && mediaType?.includes('json') !== true;
}

/** `fetch` that tells the rest of the page whether the server is there. Whatever changes something
 *  has a key, so that a request which is sent twice is done once.
 *  @throws Unreachable; the signal's reason when it fires. */
export async function watchedFetch(
  address: RequestInfo | URL, init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  const isSafe = ['GET', 'HEAD'].includes(init.method ?? 'GET');
  if (!isSafe && !headers.has('Idempotency-Key')) headers.set('Idempotency-Key', newKey());
  try {
    const options = { credentials: 'same-origin', cache: 'no-store' } as const;
    const early = isSafe ? takeEarly(address) : undefined;
    const response = await (early ?? fetch(address, { ...init, ...options, headers }));
    if (isAway(response.status, response.headers.get('content-type'))) throw new Unreachable(AWAY);
    connection.reach();
    return response;
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    connection.lose();
    throw error instanceof Unreachable ? error : new Unreachable(AWAY, { cause: error });
  }
}

declare global {
  interface Window {
    holdfastEarly?: Promise<Response> | undefined;
  }
}

/** The answer that public/early.js has asked for already, once. */
function takeEarly(address: RequestInfo | URL): Promise<Response> | undefined {
  if (address !== `${API}/session`) return undefined;
  const early = window.holdfastEarly;
  window.holdfastEarly = undefined;
  return early;
}

/** What the generated client does not do: tus, and texts. @throws Problem, Unreachable. */
export async function send(
  method: string, path: string,
  { headers = {}, signal }: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal },
): Promise<Response> {
  const response = await watchedFetch(addressOf(path), {
    method, headers, ...(signal !== undefined && { signal }),
  });
  if (!response.ok) throw problemFrom(response.status, await response.text());
  return response;
}

export function addressOf(path: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `${path.startsWith('/api/') ? '' : API}${path}${text === '' ? '' : `?${text}`}`;
}

export function problemFrom(status: number, text: string): ApiProblem {
  return new ApiProblem(status, parsed(text), null);
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (error) {
    // A proxy's own error page: its status is all there is to know.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** What a person should read about an error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isStatus(error: unknown, ...statuses: number[]): error is ApiProblem {
  return error instanceof ApiProblem && statuses.includes(error.status);
}

/** A name that may be used once: a repeated call is answered, and not done again. */
export function newKey(): string {
  return crypto.randomUUID();
}
