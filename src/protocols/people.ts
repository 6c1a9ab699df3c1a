/** Who there is to share with. */
import { parseGroupId } from '../base/ids.ts';
import type { People } from '../files/index.ts';
import type { Identity } from '../identity/index.ts';

export function peopleOf({ users, groups }: Identity): People {
  return {
    hasUser: async (id) => (await users.find(id))?.disabled === false,
    hasGroup: async (id) => (await groups.find(parseGroupId(id))) !== undefined,
    async findViewer(id) {
      const user = await users.find(id);
      if (user?.disabled !== false) return undefined;
      return { user: id, groups: await groups.of(id) };
    },
  };
}
