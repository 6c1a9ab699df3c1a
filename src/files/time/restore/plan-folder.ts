/**
 * What has to be done in one folder so that it holds again what it held. Pure.
 *
 * Folders are brought back from the top down. So whatever a folder is to hold can be moved into it
 * without ever making a circle: all that is above it is in its right place already. What the folder
 * should not hold stays until the whole tree is right, for something in it may be needed
 * elsewhere; where it stands in the way of a name, it is set aside under another one.
 */
import { canonicalName, parseName } from '../../../base/names.ts';
import type { CasePolicy, Name } from '../../../base/names.ts';
import type { NodeId } from '../../../base/ids.ts';
import type { NodeRecord, PastNode } from '../../../metadata/index.ts';
import { freeName } from '../free-name.ts';

export type Step =
  /** Renamed within the folder: it is in the way, or has another name than it had. */
  | { do: 'rename'; node: NodeRecord; name: Name }
  /** Brought here from wherever it is: elsewhere in the space, or in the trash. */
  | { do: 'bring'; node: PastNode; name: Name }
  /** It is here; its content or times may be others. */
  | { do: 'compare'; node: PastNode; live: NodeRecord; name: Name };

export interface FolderPlan {
  then: readonly PastNode[];
  now: readonly NodeRecord[];
  casePolicy: CasePolicy;
  /** Whether a node may be touched at all; what may not keeps its place and its name. */
  mayTouch: (id: NodeId) => boolean;
  /** What a set-aside or a clashing name is marked with. */
  remark: string;
}

export function planFolder(options: FolderPlan): Step[] {
  const { then, now, casePolicy, mayTouch, remark } = options;
  const canon = (name: string): string => canonicalName(name, casePolicy);
  /** Who has which name, as far as the steps have come. */
  const names = new Map(now.map((node) => [canon(node.name), node]));
  const live = new Map(now.map((node) => [node.id, node]));
  const wanted = new Set(then.map(({ name }) => canon(name)));
  const isTaken = (name: string): boolean => names.has(canon(name)) || wanted.has(canon(name));
  const steps: Step[] = [];
  const nameOf = new Map<NodeId, string>(now.map(({ id, name }) => [id, name]));

  const rename = (node: NodeRecord, name: Name): void => {
    names.delete(canon(nameOf.get(node.id) ?? node.name));
    names.set(canon(name), node);
    nameOf.set(node.id, name);
    steps.push({ do: 'rename', node, name });
  };

  for (const past of then) {
    if (!mayTouch(past.id)) continue;
    const here = live.get(past.id);
    if (here !== undefined && nameOf.get(past.id) === past.name) {
      steps.push({ do: 'compare', node: past, live: here, name: parseName(past.name) });
      continue;
    }
    const holder = names.get(canon(past.name));
    const isInTheWay = holder !== undefined && holder.id !== past.id;
    let name = parseName(past.name);
    if (isInTheWay && mayTouch(holder.id)) rename(holder, freeName(holder.name, remark, isTaken));
    else if (isInTheWay) name = freeName(past.name, remark, isTaken);
    if (here === undefined) {
      steps.push({ do: 'bring', node: past, name });
      names.set(canon(name), { ...past, sizeBytes: 0, modifiedAt: 0 });
    } else {
      if (name !== nameOf.get(past.id)) rename(here, name);
      steps.push({ do: 'compare', node: past, live: here, name });
    }
  }
  return steps;
}

/** What the folder holds and did not hold. */
export function extrasOf({ then, now, mayTouch }: Pick<FolderPlan, 'then' | 'now' | 'mayTouch'>):
NodeRecord[] {
  const ids = new Set(then.map(({ id }) => id));
  return now.filter(({ id }) => !ids.has(id) && mayTouch(id));
}
