/**
 * Where a visitor goes after signing in: home, or to the device that waits to be connected.
 *
 * Only this is carried through the forms, never an address: the page that follows is always one of
 * ours, whatever somebody puts into a link.
 */
import { FLOW_PAGE_PREFIX } from '../nextcloud/login-flow.ts';

/** Version 1 runs inside the app, which waits for an address of its own; 2 in a browser. */
export interface FlowTarget {
  version: 1 | 2;
  token: string;
}

export const FLOW_1_PREFIX = '/login/v1/flow/';
const TOKEN = /^[A-Za-z0-9_-]{20,100}$/;

export function flowTargetOf(version: 1 | 2, token: string): FlowTarget | undefined {
  return TOKEN.test(token) ? { version, token } : undefined;
}

/** Reads what `writeFlowTarget` wrote; undefined for everything else. */
export function parseFlowTarget(raw: string | null): FlowTarget | undefined {
  const [, version, token = ''] = /^([12])\.(.*)$/.exec(raw ?? '') ?? [];
  if (version === undefined) return undefined;
  return flowTargetOf(version === '1' ? 1 : 2, token);
}

export function writeFlowTarget({ version, token }: FlowTarget): string {
  return `${version}.${token}`;
}

export function pageOf(target: FlowTarget | undefined): string {
  if (target === undefined) return '/';
  return (target.version === 1 ? FLOW_1_PREFIX : FLOW_PAGE_PREFIX) + target.token;
}

export function signInPageOf(target: FlowTarget | undefined): string {
  return target === undefined ? '/login' : `/login?device=${writeFlowTarget(target)}`;
}
