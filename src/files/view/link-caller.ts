/** Whoever comes by a public link: nobody in particular. */
import type { UserId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type { GrantRecord } from '../../metadata/index.ts';
import { accessOfRole } from '../access.ts';
import type { Access } from '../access.ts';
import type { ShareTerms } from '../sharing/terms.ts';

/**
 * A caller without an account. Its `user` is a name that no account can have: code that overlooks
 * the link takes it for somebody with no files, never for who made the link. The journal names the
 * link by it.
 */
export interface LinkCaller extends Caller {
  readonly link: GrantRecord;
  readonly terms: ShareTerms;
  /** Whoever made the link: it leads to nothing that is hidden from its maker. */
  readonly maker: Viewer;
}

/** For whom grants are looked up. `groupsRev` goes into ETags; links do without. */
export type Viewer = Pick<Caller, 'user' | 'tenant' | 'groups'> & { readonly groupsRev?: number };

export function linkCaller(link: GrantRecord, terms: ShareTerms, maker: Viewer): LinkCaller {
  return {
    user: `@link-${link.id}` as UserId, tenant: maker.tenant,
    displayName: terms.label ?? 'Link', admin: false,
    device: 'link', credential: 'password', groups: [], groupsRev: 0, link, terms,
    maker,
  };
}

export function isLinkCaller(caller: Caller): caller is LinkCaller {
  return 'link' in caller;
}

/** What a link lets its visitors do where they have this role: below its root, and at the root
 *  itself, which stays. */
export function accessOfLink(
  { terms }: LinkCaller, role: Role,
): { root: Access; below: Access } {
  const ofRole = accessOfRole(role);
  const below: Access = {
    ...ofRole,
    share: false,
    read: ofRole.read && terms.fileDrop !== true,
    download: ofRole.download && terms.fileDrop !== true && terms.hideDownload !== true,
    ...(terms.fileDrop === true && { update: false, delete: false, move: false }),
  };
  return { root: { ...below, delete: false, move: false }, below };
}
