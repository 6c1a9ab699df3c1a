import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { nodeHttp } from './node-http.ts';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * An answer that carries `X-Request-Id`, whoever writes its head.
 *
 * The header joins the others at the last moment: Node takes a list of headers as it is, unless
 * one was set before; then it merges them one by one, an eighth of the time of a small download.
 */
export class TracedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends nodeHttp.ServerResponse<Request> {
  requestId: string | undefined;

  override writeHead(statusCode: number, statusMessage?: string, headers?: Headers): this;
  override writeHead(statusCode: number, headers?: Headers): this;
  override writeHead(statusCode: number, second?: string | Headers, third?: Headers): this {
    const headers = typeof second === 'string' ? third : second;
    const traced = this.#traced(headers);
    if (typeof second === 'string') return super.writeHead(statusCode, second, traced);
    return super.writeHead(statusCode, traced);
  }

  #traced(headers: Headers | undefined): Headers | undefined {
    if (this.requestId === undefined) return headers;
    if (Array.isArray(headers)) return [...headers, 'X-Request-Id', this.requestId];
    this.setHeader('X-Request-Id', this.requestId);
    return headers;
  }
}
