/** In which block home lies what a manifest refers to: in that of its space's tenant, or of the one
 *  who uploads a part. */
import type { SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { ManifestHome } from '../durability/index.ts';
import { SPACES_LIMIT_MAX } from '../metadata/index.ts';
import type { ManifestPlace, MetadataStore } from '../metadata/index.ts';
import type { BlockHome } from './block-home.ts';
import type { BlockHomes } from './block-homes.ts';

/** As seen by the collector of one home. A space that is made while it looks is of an unknown
 *  tenant to it, and so is what is held for somebody to decide. */
export function manifestHomes(
  own: BlockHome,
  { metadata, homes }: {
    metadata: Pick<MetadataStore, 'listSpaces'>;
    homes: Pick<BlockHomes, 'areNone' | 'find' | 'list'>;
  },
): () => Promise<(place: ManifestPlace) => ManifestHome> {
  const here: ManifestHome = { where: 'here', stores: [own.blocks] };
  return async () => {
    if (await homes.areNone()) return () => here;
    const { bySpace, byOwner } = await tenantsOf(metadata);
    const known = new Map<TenantId, ManifestHome>();
    for (const tenant of bySpace.values()) {
      const home = homes.find(tenant);
      known.set(tenant, tenant === own.place.tenant ? here
        : { where: 'elsewhere', stores: home === undefined ? [] : [home.blocks] });
    }
    const others = homes.list().filter((home) => home !== own).map(({ blocks }) => blocks);
    const unknown: ManifestHome = { where: 'unknown', stores: [own.blocks, ...others] };
    return (place) => {
      const tenant = tenantOf(place, bySpace, byOwner);
      return (tenant === undefined ? undefined : known.get(tenant)) ?? unknown;
    };
  };
}

function tenantOf(
  place: ManifestPlace, bySpace: ReadonlyMap<SpaceId, TenantId>,
  byOwner: ReadonlyMap<UserId, TenantId>,
): TenantId | undefined {
  if (place.kind === 'version') return bySpace.get(place.spaceId);
  return place.kind === 'part' ? byOwner.get(place.owner) : undefined;
}

async function tenantsOf(metadata: Pick<MetadataStore, 'listSpaces'>) {
  const bySpace = new Map<SpaceId, TenantId>();
  const byOwner = new Map<UserId, TenantId>();
  for (let after: SpaceId | undefined; ;) {
    const page = await metadata.listSpaces(SPACES_LIMIT_MAX, after);
    for (const { id, tenant, owner } of page) {
      bySpace.set(id, tenant);
      if (owner !== undefined) byOwner.set(owner, tenant);
    }
    after = page.at(-1)?.id;
    if (after === undefined) return { bySpace, byOwner };
  }
}
