/** How a client of the API calls: what all operations have in common. It needs nothing but `fetch`,
 *  and works in browsers and in Node. */

/** What a server is called with. */
export interface ApiOptions {
  /** Where the server is, without a path: `https://files.example.org`; '' is the page's own. */
  baseUrl?: string;
  /** A token of the API. Without one a browser shows its cookie. */
  token?: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  fetch?: typeof fetch;
}

/** What one call brings along. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Repeated with the same key, the request is done once and answered the same. */
  idempotencyKey?: string;
  /** For example `If-Match`, `Range`. */
  headers?: Readonly<Record<string, string>>;
}

/** The content of a file on its way to the server. */
export type BytesBody = NonNullable<RequestInit['body']>;

/** A refusal: see the Problem of the schema. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  /** A stable word for programs. */
  readonly code: string;
  /** For whoever asks the server's people about it. */
  readonly requestId: string | undefined;
  /** Which part of the request is meant. */
  readonly at: string | undefined;
  /** When to try again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, problem: Record<string, unknown>, retryAfter: string | null) {
    const { detail, code, instance, at } = problem;
    super(typeof detail === 'string' ? detail : `The server answered ${status}.`);
    this.status = status;
    this.code = typeof code === 'string' ? code : 'unknown';
    this.requestId = typeof instance === 'string' ? instance : undefined;
    this.at = typeof at === 'string' ? at : undefined;
    this.retryAfterSeconds = retryAfter === null ? undefined : Number(retryAfter);
  }
}

interface CallShape {
  method: string;
  /** With `{name}` for a parameter. */
  path: string;
  query?: readonly string[];
  /** 'response': the answer itself, its body unread. */
  answer?: 'response';
}

export class ApiCaller {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions = {}) {
    this.#options = options;
  }

  /** Where an operation is, for links and pictures: `readContent` at `/nodes/{id}/content`. */
  urlOf(path: string, query: Readonly<Record<string, string>> = {}): string {
    const text = new URLSearchParams(query).toString();
    return `${this.#options.baseUrl ?? ''}/api/v1${path}${text === '' ? '' : `?${text}`}`;
  }

  /** @throws ApiProblem: the server refuses; what `fetch` throws: it cannot be reached. */
  protected async call<T>(
    shape: CallShape, args: object, { signal, idempotencyKey, headers }: CallOptions,
  ): Promise<T> {
    const given = args as Readonly<Record<string, unknown>>;
    const { token, baseUrl = '', fetch: send = fetch, headers: common } = this.#options;
    const { body } = given;
    const isBytes = body === undefined || isBody(body);
    const answer = await send(`${baseUrl}${addressOf(shape, given)}`, {
      method: shape.method,
      ...(signal !== undefined && { signal }),
      headers: {
        Accept: 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(!isBytes && { 'Content-Type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
        ...common, ...headers,
      },
      ...(body !== undefined && { body: isBytes ? body as BytesBody : JSON.stringify(body) }),
      // A stream is sent while it is read.
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
    if (!answer.ok && answer.status !== 304) throw await problemOf(answer);
    if (shape.answer === 'response') return answer as T;
    const text = await answer.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

function isBody(body: unknown): boolean {
  return typeof body === 'string' || body instanceof Blob || body instanceof ReadableStream
    || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
}

function addressOf(
  { path, query = [] }: CallShape, args: Readonly<Record<string, unknown>>,
): string {
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(textOf(args[name])));
  const search = new URLSearchParams();
  for (const name of query) {
    const value = args[name];
    if (value !== undefined) search.set(name, textOf(value));
  }
  const text = search.toString();
  return text === '' ? place : `${place}?${text}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function problemOf(answer: Response): Promise<ApiProblem> {
  const text = await answer.text();
  const isProblem = answer.headers.get('content-type')?.includes('json') === true;
  const problem = isProblem ? JSON.parse(text) as Record<string, unknown> : {};
  return new ApiProblem(answer.status, problem, answer.headers.get('retry-after'));
}
