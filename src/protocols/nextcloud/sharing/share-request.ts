/** From the parameters of a request to wishes for a share. */
import { HoldfastError } from '../../../base/errors.ts';
import { parsePath } from '../../../base/names.ts';
import type { Name } from '../../../base/names.ts';
import type { Receiver, ShareWishes } from '../../../files/index.ts';
import type { Exchange } from '../../../platform/index.ts';
import { readBounded } from '../../request-body.ts';
import { roleOf } from './share-bits.ts';

const BODY_BYTES_MAX = 64 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

export type Parameters = ReadonlyMap<string, string>;

/** Of the address and of the body, which may be a form or JSON; the body's count.
 *  @throws invalid; too-large. */
export async function parametersOf({ req, query }: Exchange): Promise<Parameters> {
  const parameters = new Map(query);
  const body = (await readBounded(req, BODY_BYTES_MAX)).toString('utf8');
  if (/^application\/json/i.test(req.headers['content-type'] ?? '')) {
    for (const [name, value] of Object.entries(parseObject(body))) {
      if (value === null) parameters.set(name, '');
      if (['string', 'number', 'boolean'].includes(typeof value)) {
        parameters.set(name, String(value as string | number | boolean));
      }
    }
    return parameters;
  }
  for (const [name, value] of new URLSearchParams(body)) parameters.set(name, value);
  return parameters;
}

function parseObject(body: string): Record<string, unknown> {
  if (body === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Told below, as for any other text that is no object.
  }
  throw invalid('The body of this request is no JSON object.');
}

/** `/work/plans`, not percent-encoded. @throws invalid. */
export function pathIn(parameters: Parameters): Name[] | undefined {
  const raw = parameters.get('path');
  return raw === undefined ? undefined : parsePath(raw.split('/').filter((name) => name !== ''));
}

export function isSet(parameters: Parameters, name: string): boolean {
  const value = parameters.get(name);
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}

/** @throws invalid: a kind of share that there is not. */
export function receiverIn(parameters: Parameters): Receiver {
  const id = parameters.get('shareWith') ?? '';
  switch (parameters.get('shareType')) {
    case '0': return { kind: 'user', id };
    case '1': return { kind: 'group', id };
    case '3': return { kind: 'link' };
    case '4': return { kind: 'mail', address: id };
    default: throw invalid('It can be shared with users and groups, by public link and by mail.');
  }
}

/** What of a share is to be as the request says. @throws invalid. */
export function wishesIn(
  parameters: Parameters, { kind, isLink }: { kind: 'file' | 'folder'; isLink: boolean },
): ShareWishes {
  const role = wantedRole(parameters, { kind, isLink });
  const label = parameters.get('label');
  const note = parameters.get('note');
  const password = parameters.get('password');
  const hideDownload = parameters.get('hideDownload');
  const downloadsMax = parameters.get('downloadLimit');
  const expireDate = parameters.get('expireDate');
  return {
    ...(role !== undefined && { role: role.role, ...(isLink && { fileDrop: role.fileDrop }) }),
    ...(label !== undefined && { label }),
    ...(note !== undefined && { note }),
    ...(isLink && password !== undefined && { password }),
    ...(isLink && hideDownload !== undefined && {
      hideDownload: isSet(parameters, 'hideDownload'),
    }),
    ...(isLink && downloadsMax !== undefined && { downloadsMax: Number(downloadsMax) }),
    ...(expireDate !== undefined && { expiresAt: endOf(expireDate) }),
  };
}

function wantedRole(
  parameters: Parameters, { kind, isLink }: { kind: 'file' | 'folder'; isLink: boolean },
): ReturnType<typeof roleOf> {
  const bits = parameters.get('permissions');
  if (bits !== undefined && bits !== '') {
    const role = /^\d{1,3}$/.test(bits) ? roleOf(Number(bits), kind, { isLink }) : undefined;
    if (role === undefined) {
      throw invalid('These permissions let nobody do anything: reading is the least.');
    }
    return role;
  }
  if (!isLink || !parameters.has('publicUpload')) return undefined;
  const role = isSet(parameters, 'publicUpload') ? 'editor' as const : 'viewer' as const;
  return { role, fileDrop: false };
}

/** The share is good through that day, by UTC. '' takes the end away. */
function endOf(date: string): number | undefined {
  if (date === '') return undefined;
  const [, day] = /^(\d{4}-\d{2}-\d{2})(?:$|[ T])/.exec(date) ?? [];
  const at = day === undefined ? NaN : Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) throw invalid('A day is given as 2026-11-20.');
  return at + DAY_MS;
}

/** `2026-11-20 00:00:00`, the last day. */
export function lastDayOf(expiresAt: number): string {
  return `${new Date(expiresAt - DAY_MS).toISOString().slice(0, 10)} 00:00:00`;
}

export function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid', 'nextcloud/shares', message, { code: 'share-refused' });
}
