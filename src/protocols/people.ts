/** Who there is to share with. */
import { parseGroupId } from '../base/ids.ts';
import type { People } from '../files/index.ts';
import type { Identity } from '../identity/index.ts';

export function peopleOf({ users, groups }: Identity): People {
  return {
    async hasUser(id, tenant) {
      const user = await users.find(id);
      return user?.disabled === false && user.tenant === tenant;
    },
    hasGroup: async (id, tenant) => (await groups.find(parseGroupId(id)))?.tenant === tenant,
    async findViewer(id) {
      const user = await users.find(id);
      if (user?.disabled !== false) return undefined;
      return { user: id, tenant: user.tenant, groups: await groups.of(id) };
    },
    async findAddress(id) {
      const user = await users.find(id);
      return user?.disabled === false ? user.email : undefined;
    },
  };
}
