/**
 * Conditions that a client sets on a request: If-Match and its kin (RFC 9110, section 13) and the
 * If header of DAV (RFC 4918, section 10.4). They become a `Deal` for the file service, which
 * judges them against what is there and pins its verdict into the change itself.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import { etagOf } from '../../files/index.ts';
import type { Deal, FileService } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { LockRecord, NodeRecord } from '../../metadata/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { encodePath, locate, ownPathOf } from '../paths.ts';
import { parseHttpDate } from './http-date.ts';
import { parseIf } from './if-header.ts';
import type { IfList } from './if-header.ts';

export type Condition = (current: NodeRecord | undefined) => void;

/** Different resources that one If header can speak of. */
const RESOURCES_MAX = 50;

export interface ConditionScope {
  files: FileService;
  exchange: Pick<Exchange, 'req' | 'origin'>;
  /** The headers that count; undefined: all of the request's. */
  headers?: IncomingHttpHeaders;
  caller: Caller;
  /** What untagged lists speak of; undefined when the request is for no file. */
  requestPath: readonly Name[] | undefined;
  /** What the service will judge: the request's path, or where an upload in pieces will appear. */
  judgedPath: readonly Name[];
}

const NO_DEAL: Deal = Object.freeze({});

export function hasConditions(headers: IncomingHttpHeaders): boolean {
  return headers['if'] !== undefined || headers['if-match'] !== undefined
    || headers['if-none-match'] !== undefined || headers['if-unmodified-since'] !== undefined;
}

/** All conditions of a request that changes something.
 *  @throws invalid: an If header that cannot be read; precondition: an If header that is false. */
export async function dealOf(scope: ConditionScope): Promise<Deal> {
  const headers = scope.headers ?? scope.exchange.req.headers;
  if (!hasConditions(headers)) return NO_DEAL;
  const raw = headers['if'];
  const verdict = raw === undefined ? undefined : await evaluateIf(String(raw), scope);
  const plain = preconditionsOf(headers);
  const inIf = verdict?.condition;
  const condition: Condition | undefined = plain === undefined || inIf === undefined
    ? plain ?? inIf
    : (current) => {
      plain(current);
      inIf(current);
    };
  return { ...(condition && { condition }), ...(verdict && { lockTokens: verdict.tokens }) };
}

/** If-Match, If-None-Match and If-Unmodified-Since of a request that changes something; undefined
 *  when it has none. The callback throws precondition. */
export function preconditionsOf(headers: IncomingHttpHeaders): Condition | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  const since = headers['if-unmodified-since'];
  const unmodifiedAt = since === undefined ? undefined : parseHttpDate(since);
  if (ifMatch === undefined && ifNoneMatch === undefined && unmodifiedAt === undefined) {
    return undefined;
  }
  return (current) => {
    if (ifMatch !== undefined) {
      if (!matches(ifMatch, current, 'strong')) throw changed();
    } else if (unmodifiedAt !== undefined && isNewer(current, unmodifiedAt)) {
      throw changed();
    }
    if (ifNoneMatch !== undefined && matches(ifNoneMatch, current, 'weak')) throw changed();
  };
}

/** Whether a list of entity tags, or `*`, names what is there. */
export function matches(
  list: string, current: NodeRecord | undefined, comparison: 'strong' | 'weak',
): boolean {
  if (current === undefined) return false;
  const wanted = list.trim();
  if (wanted === '*') return true;
  const etag = etagOf(current);
  if (wanted === etag) return true;
  return wanted.split(',').some((one) => {
    const tag = one.trim();
    return (comparison === 'weak' && tag.startsWith('W/') ? tag.slice(2) : tag) === etag;
  });
}

/** Dates in headers have whole seconds. Nothing there is not newer than anything. */
export function isNewer(current: NodeRecord | undefined, at: number): boolean {
  return current !== undefined && Math.floor(current.modifiedAt / 1000) > Math.floor(at / 1000);
}

interface IfVerdict {
  tokens: readonly string[];
  /** Judges again what was read here, when it could have changed since. */
  condition: Condition | undefined;
}

interface ResourceState {
  node: NodeRecord | undefined;
  locks: readonly LockRecord[];
}

interface PlacedList {
  /** undefined: a resource that is not ours, of which nothing is true. */
  key: string | undefined;
  list: IfList;
}

/** @throws invalid; precondition. */
export async function evaluateIf(raw: string, scope: ConditionScope): Promise<IfVerdict> {
  const placed: PlacedList[] = [];
  const paths = new Map<string, readonly Name[]>();
  for (const list of parseIf(raw)) {
    const path = pathOf(list, scope);
    const key = path === undefined ? undefined : encodePath(path);
    if (path !== undefined && key !== undefined) paths.set(key, path);
    placed.push({ key, list });
  }
  if (paths.size > RESOURCES_MAX) {
    const message = `An If header can speak of ${RESOURCES_MAX} resources at most.`;
    throw new HoldfastError('too-large', 'webdav/evaluateIf', message);
  }
  const states = new Map<string, ResourceState>();
  for (const [key, path] of paths) {
    const found = await scope.files.find(scope.caller, path);
    const locks = await scope.files.listLocks(scope.caller, path);
    states.set(key, { node: found?.node, locks });
  }
  if (!placed.some((one) => holds(one, states))) throw changed();
  const conditions = placed.flatMap(({ list }) => list.conditions);
  const tokens = conditions.filter(({ kind }) => kind === 'token').map(({ value }) => value);
  return { tokens, condition: againFor(encodePath(scope.judgedPath), placed, states) };
}

/** Entity tags of the judged resource are compared once more with what the change will meet. The
 *  locks need no second look: a change checks them in its own transaction. */
function againFor(
  judged: string, placed: readonly PlacedList[], states: ReadonlyMap<string, ResourceState>,
): Condition | undefined {
  const isTouched = placed.some(({ key, list }) =>
    key === judged && list.conditions.some(({ kind }) => kind === 'etag'));
  if (!isTouched) return undefined;
  return (current) => {
    const fresh = new Map(states);
    fresh.set(judged, { locks: states.get(judged)?.locks ?? [], node: current });
    if (!placed.some((one) => holds(one, fresh))) throw changed();
  };
}

function holds({ key, list }: PlacedList, states: ReadonlyMap<string, ResourceState>): boolean {
  const state = key === undefined ? undefined : states.get(key);
  return list.conditions.every(({ negated, kind, value }) => {
    const isTrue = kind === 'etag'
      ? state?.node !== undefined && etagOf(state.node) === value
      : state?.locks.some(({ token }) => token === value) ?? false;
    return isTrue !== negated;
  });
}

function pathOf({ tag }: IfList, scope: ConditionScope): readonly Name[] | undefined {
  if (tag === undefined) return scope.requestPath;
  const raw = ownPathOf(tag, scope.exchange);
  if (raw === undefined) return undefined;
  try {
    return locate(raw, scope.caller)?.path;
  } catch (error) {
    if (error instanceof HoldfastError && error.kind === 'denied') return undefined;
    throw error;
  }
}

function changed(): HoldfastError {
  const message = 'It is not as the request expects it to be. Look at it again, then decide.';
  return new HoldfastError('precondition', 'webdav/conditions', message, { code: 'changed' });
}
