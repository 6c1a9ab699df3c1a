/** The content of all tenants, each in its own block home. */
import type { TenantId } from '../base/ids.ts';
import { ContentHomes, ContentShare, ContentStore } from '../files/index.ts';
import type { ContentDirectory, SpaceDirectory } from '../files/index.ts';
import type { BlockHome } from './block-home.ts';
import type { Stores } from './stores.ts';

/** `uncached`: for who wants to know what is really stored. */
export function contentOf(
  { metadata, homes }: Pick<Stores, 'metadata' | 'homes'>, spaces: SpaceDirectory,
  way: 'cached' | 'uncached',
): ContentDirectory {
  const share = new ContentShare();
  const known = new WeakMap<BlockHome, ContentStore>();
  const contentIn = (home: BlockHome): ContentStore => {
    const remembered = known.get(home);
    if (remembered !== undefined) return remembered;
    const { backend, blocks, place: { tenant } } = home;
    const content = new ContentStore({
      blocks: way === 'cached' ? blocks : backend.uncached, metadata, tenant, share,
      witness: backend.witness, claims: backend.reclaim,
    });
    known.set(home, content);
    return content;
  };
  const of = (tenant: TenantId): ContentStore | Promise<ContentStore> => {
    const home = homes.of(tenant);
    return home instanceof Promise ? home.then(contentIn) : contentIn(home);
  };
  return new ContentHomes({ spaces, of });
}
