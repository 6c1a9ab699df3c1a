/**
 * Whom a webhook may be sent to. Whoever names an address here makes the server open it from inside
 * its own network, so addresses that only lead there are refused, unless the operator allows them.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HoldfastError } from '../base/errors.ts';

const PRIVATE = new BlockList();
/** IANA's special-purpose registries: loopback, private, link-local, shared, documentation,
 *  benchmarks, multicast, reserved; and ways to name IPv4 addresses in IPv6. Those of IPv4 count
 *  for addresses mapped into IPv6 too. */
const V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16],
  ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24],
  ['224.0.0.0', 4], ['240.0.0.0', 4],
];
const V6: readonly (readonly [string, number])[] = [
  ['::', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64],
  ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20], ['5f00::', 16],
  ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
];
for (const [net, bits] of V4) PRIVATE.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of V6) PRIVATE.addSubnet(net, bits, 'ipv6');

export interface Address {
  address: string;
  family: 4 | 6;
}

/** All addresses of a name. @throws as node:dns. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export function isPrivate({ address, family }: Address): boolean {
  return PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The address to connect to: looked up once, so that a name cannot lead elsewhere a moment later.
 *  @throws denied `private-address`; unavailable: the name is not known at the moment. */
export async function addressOf(
  { hostname }: URL, { resolve, allowPrivate }: { resolve: Resolve; allowPrivate: boolean },
): Promise<Address> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(host);
  const found = version === 0 ? await resolved(host, resolve)
    : [{ address: host, family: version === 6 ? 6 as const : 4 as const }];
  const [first] = found;
  if (first === undefined) throw unknownName();
  // Of several, one that leads inside is enough to refuse: which is used is not ours to choose.
  if (!allowPrivate && found.some(isPrivate)) {
    const message = 'Webhooks may not lead to addresses inside a network.';
    throw new HoldfastError('denied', 'webhooks/addressOf', message, { code: 'private-address' });
  }
  return first;
}

async function resolved(host: string, resolve: Resolve): Promise<readonly Address[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw unknownName(cause);
  }
}

function unknownName(cause?: unknown): HoldfastError {
  const message = 'The name in the address is not known.';
  return new HoldfastError('unavailable', 'webhooks/addressOf', message, { cause });
}
