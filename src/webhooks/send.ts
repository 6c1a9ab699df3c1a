/** One try to deliver one message. */
import { createHmac } from 'node:crypto';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { HoldfastError } from '../base/errors.ts';
import { nodeHttp } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { addressOf } from './addresses.ts';
import type { Address, Resolve } from './addresses.ts';

/** From the first byte to the end of the answer. */
const TRY_MS = 10_000;

export interface SendOptions {
  resolve: Resolve;
  /** Addresses inside a network are allowed. */
  allowPrivate: boolean;
  clock: Clock;
  signal: AbortSignal;
}

export interface Message {
  id: string;
  url: string;
  secret: string;
  body: string;
}

/** `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 over the seconds, a dot and the body. */
export function signatureOf(secret: string, seconds: number, body: string): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}

/** Resolves when the receiver has said 2xx. Redirections, which could lead anywhere, are not
 *  followed.
 *  @throws denied `private-address`; unavailable: anything else. */
export async function send(message: Message, options: SendOptions): Promise<void> {
  const url = new URL(message.url);
  const address = await addressOf(url, options);
  const status = await post(url, message, { ...options, address });
  if (status >= 200 && status < 300) return;
  throw new HoldfastError('unavailable', 'webhooks/send', `The receiver answered ${status}.`);
}

function post(
  url: URL, { id, secret, body }: Message,
  { address, clock, signal }: SendOptions & { address: Address },
): Promise<number> {
  const seconds = Math.floor(clock.now() / 1000);
  const bytes = Buffer.from(body);
  const client = url.protocol === 'https:' ? https : nodeHttp;
  const late = new AbortController();
  const cancel = clock.after(TRY_MS, () => late.abort());
  const answered = new Promise<number>((resolve, reject) => {
    const failed = (cause: unknown): void => {
      const text = 'The receiver cannot be reached, or does not answer in time.';
      reject(new HoldfastError('unavailable', 'webhooks/send', text, { cause }));
    };
    const req = client.request(url, {
      method: 'POST', agent: false, lookup: only(address),
      signal: AbortSignal.any([signal, late.signal]),
      headers: {
        'Content-Type': 'application/json', 'Content-Length': bytes.length,
        'User-Agent': 'Holdfast-Webhook/1', 'Holdfast-Delivery': id,
        'Holdfast-Signature': signatureOf(secret, seconds, body),
      },
    }, (res) => {
      resolve(res.statusCode ?? 0);
      res.destroy(); // What it says besides is nobody's business.
    });
    req.on('error', failed);
    req.end(bytes);
  });
  return answered.finally(cancel);
}

/** Leads to the address that was judged, whatever the name says meanwhile. */
function only({ address, family }: Address): LookupFunction {
  return (_, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}
