/**
 * The part of a network address by which failures are counted.
 *
 * Whoever has one IPv6 address usually has 2^64 of them, so those are counted by their first four
 * groups (RFC 6177). An IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2) is the IPv4 address.
 */
import { isIPv6 } from 'node:net';

const UNKNOWN = 'unknown';
const GROUPS = 8;
const GROUPS_COUNTED = 4;

export function addressGroup(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return bare.slice(0, 64) || UNKNOWN;
  const [head = '', tail] = bare.split('::');
  const front = groupsOf(head);
  const back = groupsOf(tail ?? '');
  const zeros = Array<string>(Math.max(0, GROUPS - front.length - back.length)).fill('0');
  const groups = tail === undefined ? front : [...front, ...zeros, ...back];
  return `${groups.slice(0, GROUPS_COUNTED).map((g) => g.replace(/^0+(?=.)/, '')).join(':')}::`;
}

/** A dotted tail stands for two groups; it never reaches the four that are counted. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
