/** Which entries are selected, and which one the keys act from. Pure. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** Where a range begins. */
  readonly anchorId: string | undefined;
  /** Where the keys are. */
  readonly activeId: string | undefined;
}

export const NOTHING_SELECTED: Selection = {
  ids: new Set(), anchorId: undefined, activeId: undefined,
};

export function selectOnly(id: string): Selection {
  return { ids: new Set([id]), anchorId: id, activeId: id };
}

export function toggle({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchorId: id, activeId: id };
}

/** From the anchor to `id`, both included; the rest is cleared. */
export function selectRange(
  { anchorId, activeId }: Selection, order: readonly string[], id: string,
): Selection {
  const from = order.indexOf(anchorId ?? activeId ?? id);
  const to = order.indexOf(id);
  if (to < 0) return { ids: new Set(), anchorId, activeId };
  const start = from < 0 ? to : from;
  const ids = order.slice(Math.min(start, to), Math.max(start, to) + 1);
  return { ids: new Set(ids), anchorId: order[start], activeId: id };
}

export function selectAll(order: readonly string[], { activeId }: Selection): Selection {
  return { ids: new Set(order), anchorId: order[0], activeId: activeId ?? order[0] };
}

/** What is not in the list any more cannot be selected. */
export function keepOnly(selection: Selection, present: ReadonlySet<string>): Selection {
  const ids = [...selection.ids].filter((id) => present.has(id));
  const isGone = (id: string | undefined): boolean => id !== undefined && !present.has(id);
  if (ids.length === selection.ids.size && !isGone(selection.activeId)
    && !isGone(selection.anchorId)) return selection;
  return {
    ids: new Set(ids),
    anchorId: isGone(selection.anchorId) ? undefined : selection.anchorId,
    activeId: isGone(selection.activeId) ? undefined : selection.activeId,
  };
}

export interface Step {
  readonly by: number;
  /** With Shift: the range grows or shrinks. */
  readonly extends: boolean;
}

/** An arrow key: from the active entry, or to the first one. */
export function step(
  selection: Selection, order: readonly string[], { by, extends: isRange }: Step,
): Selection {
  if (order.length === 0) return selection;
  const at = selection.activeId === undefined ? -1 : order.indexOf(selection.activeId);
  const next = at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + by));
  const id = order[next];
  if (id === undefined) return selection;
  return isRange ? selectRange(selection, order, id) : selectOnly(id);
}
