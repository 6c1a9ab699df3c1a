/** The signature by an account's key: what Azure calls Shared Key authorization. */
import { createHmac } from 'node:crypto';

/** The headers that have a line of their own in what is signed, in this order. */
const SIGNED_HEADERS = [
  'content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date',
  'if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range',
];

export interface SignedRequest {
  readonly method: string;
  /** As it goes over the wire, with the query. */
  readonly path: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The value of the `authorization` header. */
export function sharedKeyOf(request: SignedRequest, account: string, key: Buffer): string {
  const text = textToSign(request, account);
  return `SharedKey ${account}:${createHmac('sha256', key).update(text).digest('base64')}`;
}

export function textToSign({ method, path, headers }: SignedRequest, account: string): string {
  const lines = SIGNED_HEADERS.map((name) => {
    const value = headers[name] ?? '';
    // An empty body is signed as no length at all.
    return name === 'content-length' && value === '0' ? '' : value;
  });
  const own = Object.keys(headers).filter((name) => name.startsWith('x-ms-')).sort()
    .map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  const url = new URL(path, 'http://host');
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`);
  const resource = [`/${account}${url.pathname}`, ...query.sort()].join('\n');
  return `${[method, ...lines].join('\n')}\n${own.join('')}${resource}`;
}
