/** Which reverse proxies may speak for their clients. Nobody, unless the operator says so. */
import { BlockList, isIP } from 'node:net';
import { HoldfastError } from '../../base/errors.ts';

const LIST_MAX = 64;
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'],
};

/** IPv4 addresses that arrive through an IPv6 socket, in their usual spelling. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

export class TrustedProxies {
  static readonly none = new TrustedProxies([]);
  readonly #blocks = new BlockList();
  readonly #isEmpty: boolean;

  private constructor(ranges: readonly string[]) {
    this.#isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      const bits = prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix);
      this.#blocks.addSubnet(address, bits, family);
    }
  }

  /** Takes addresses and ranges (`10.0.0.0/8`), the words `loopback` and `private`, by commas.
   *  @throws invalid: not such a list. */
  static parse(text: string): TrustedProxies {
    const entries = text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');
    const ranges = entries.flatMap((entry) => NAMED[entry] ?? [checkRange(entry)]);
    if (ranges.length > LIST_MAX) refuse(`At most ${LIST_MAX} proxy ranges can be named.`);
    return new TrustedProxies(ranges);
  }

  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const family = isIP(address);
    return family !== 0 && this.#blocks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** Walks X-Forwarded-For from the near end: the first address that is no trusted proxy is the
   *  client. What stands further left, the client itself may have made up. */
  clientOf(near: string, forwarded: string): string {
    const hops = forwarded.split(',');
    let client = near;
    for (let at = hops.length - 1; at >= 0; at -= 1) {
      const hop = withoutPort((hops[at] ?? '').trim());
      if (isIP(hop) === 0) return client;
      client = plainAddress(hop);
      if (!this.has(client)) return client;
    }
    return client;
  }
}

function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(hop);
  if (bracketed !== null) return bracketed[1] ?? '';
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(':')) : hop;
}

function checkRange(entry: string): string {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? 0 : Number(prefix);
  const bitsMax = family === 6 ? 128 : 32;
  const isGood = prefix === undefined || (/^\d+$/.test(prefix) && bits <= bitsMax);
  if (family !== 0 && isGood && rest.length === 0) return entry;
  refuse('Name the proxy by its addresses, such as 10.0.0.7 or 10.0.0.0/8 or loopback.');
}

function refuse(message: string): never {
  throw new HoldfastError('invalid', 'platform/TrustedProxies.parse', message);
}
