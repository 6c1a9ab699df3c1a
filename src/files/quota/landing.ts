/** Where an upload will count before it has ended. */
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { isLinkCaller } from '../view/link-caller.ts';
import { accessAt } from '../view/sight.ts';
import type { Views } from '../view/views.ts';
import type { Landing } from './piece-rooms.ts';

/** `path`: where the client says that it will end. undefined: nobody knows, or no quota can hold
 *  there. Nobody reserves room where it must not write: its end will refuse it. */
export async function landingOf(
  { views, spaces }: { views: Views; spaces: SpaceDirectory }, caller: Caller,
  path: readonly Name[] | undefined,
): Promise<Landing | undefined> {
  if (isLinkCaller(caller)) return undefined;
  const { id } = await views.ownSpace(caller);
  const hasOthers = (await views.receivedGrants(caller)).length > 0;
  // Without a quota, and nothing of others, it is not worth a look where the path leads.
  if (!hasOthers && !await spaces.isLimited(id)) return undefined;
  if (path === undefined) {
    return hasOthers ? undefined : { spaceId: id, oldBytes: 0, isSure: false };
  }
  const { nodes, isHidden } = await views.walk(caller, path);
  const current = nodes[path.length];
  const near = current ?? nodes.at(-1);
  if (near === undefined || isHidden) return undefined;
  const access = accessAt(near);
  if (current === undefined ? !access.create : !access.update) return undefined;
  return { spaceId: near.spaceId, oldBytes: current?.sizeBytes ?? 0, isSure: true };
}
