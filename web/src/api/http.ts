/** One call to the server: JSON in, JSON out, and every failure as one of two errors. */
import { connection } from './connection.ts';

export const API = '/api/v1';

/** The server has answered, and said no: an RFC 9457 problem. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  /** By which the server's log knows the request. */
  readonly requestId: string | undefined;

  constructor(status: number, code: string, message: string, requestId?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** Nobody has answered. Whether the request was carried out is not known. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** @throws Problem, Unreachable; the signal's reason when it fires. */
export async function call<Answer>(
  method: string, path: string, options: CallOptions = {},
): Promise<Answer> {
  const response = await send(method, path, options);
  if (response.status === 204 || response.headers.get('content-length') === '0') {
    return undefined as Answer;
  }
  return await response.json() as Answer;
}

export async function send(
  method: string, path: string, { query, body, headers, signal }: CallOptions = {},
): Promise<Response> {
  const init: RequestInit = {
    method, credentials: 'same-origin', cache: 'no-store',
    headers: {
      Accept: 'application/json',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  };
  let response: Response;
  try {
    response = await fetch(addressOf(path, query), init);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    connection.lose();
    throw new Unreachable('The server cannot be reached.', { cause: error });
  }
  connection.reach();
  if (!response.ok) throw await problemOf(response);
  return response;
}

export function addressOf(path: string, query: CallOptions['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return `${path.startsWith('/api/') ? '' : API}${path}${text === '' ? '' : `?${text}`}`;
}

async function problemOf(response: Response): Promise<Problem> {
  return problemFrom(response.status, await response.text().catch(() => ''));
}

export function problemFrom(status: number, text: string): Problem {
  const said = parsed(text);
  const field = (name: string): string | undefined => {
    const value = said[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const message = field('detail') ?? field('title') ?? `The server answered ${status}.`;
  return new Problem(status, field('code') ?? `http-${status}`, message, field('instance'));
}

function parsed(text: string): Readonly<Record<string, unknown>> {
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

export function isStatus(error: unknown, ...statuses: number[]): error is Problem {
  return error instanceof Problem && statuses.includes(error.status);
}

/** A name that may be used once: a repeated call is answered, and not done again. */
export function newKey(): string {
  return crypto.randomUUID();
}
