/** An address that mail can be sent to, checked once. Nothing that could end a line or begin
 *  another recipient gets through, so no header and no command can be smuggled in by it. */
import { domainToASCII } from 'node:url';
import { HoldfastError } from '../base/errors.ts';

declare const brand: unique symbol;
/** `local@domain`, the domain in ASCII and lower case. */
export type MailAddress = string & { readonly [brand]: 'MailAddress' };

/** RFC 5321, section 4.5.3.1. */
const ADDRESS_CHARACTERS_MAX = 254;
const LOCAL_CHARACTERS_MAX = 64;
const DOMAIN_CHARACTERS_MAX = 253;
/** RFC 5322, section 3.2.3, dot-atom; quoted local parts are legal, and nobody has one. */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** What a domain is never written with, though converting it would make dots and letters of it. */
const NO_DOMAIN = /[^\p{L}\p{M}\p{N}.-]/u;

/** @throws invalid `mail-address`. */
export function parseMailAddress(raw: string): MailAddress {
  const address = findMailAddress(raw);
  if (address !== undefined) return address;
  const message = 'This is not a mail address. One looks like anna@example.org.';
  throw new HoldfastError('invalid', 'mail/parseMailAddress', message, { code: 'mail-address' });
}

/** undefined: this is none. */
export function findMailAddress(raw: string): MailAddress | undefined {
  const at = raw.lastIndexOf('@');
  const local = raw.slice(0, Math.max(0, at));
  const domain = raw.slice(at + 1);
  if (raw.length > ADDRESS_CHARACTERS_MAX || local.length > LOCAL_CHARACTERS_MAX) return undefined;
  if (!LOCAL.test(local) || NO_DOMAIN.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  if (ascii.length === 0 || ascii.length > DOMAIN_CHARACTERS_MAX) return undefined;
  if (!ascii.split('.').every((label) => LABEL.test(label))) return undefined;
  return `${local}@${ascii}` as MailAddress;
}

/** `anna@example.org`, or `Our cloud <anna@example.org>`. @throws invalid. */
export function parseSender(raw: string): { name: string; address: MailAddress } {
  const [, name = '', inner] = /^([^<>]*)<([^<>]*)>$/.exec(raw.trim()) ?? [];
  const address = parseMailAddress((inner ?? raw).trim());
  return { name: oneLine(name.replaceAll('"', '')), address };
}

/** Text for a header or a line: what would break it, or turn it round, becomes a space. */
export function oneLine(raw: string): string {
  return raw.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
