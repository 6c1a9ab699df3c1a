import { call } from './http.ts';
import type { Person } from './shapes.ts';

/** One line of "who can see this". */
export interface Access {
  readonly key: string;
  readonly name: string;
  readonly kind: 'owner' | 'user' | 'group' | 'link';
  /** none: shut out. */
  readonly role: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
}

interface Answered {
  readonly items: readonly (Pick<Access, 'kind' | 'role'> & {
    readonly receiver?: Person;
    readonly label?: string;
  })[];
}

export async function listAccess(id: string, signal: AbortSignal): Promise<Access[]> {
  const path = `/nodes/${encodeURIComponent(id)}/access`;
  const { items } = await call<Answered>('GET', path, { signal });
  return items.map((item, at) => {
    const name = item.receiver?.displayName ?? item.label ?? '';
    return { key: `${at}-${name}`, name, kind: item.kind, role: item.role };
  });
}
