/**
 * Gives what was restored the permissions, shares and links that it had: those that were ended come
 * back as the very ones they were, a link at its old address, with its old time of expiry and its
 * downloads still counted; changed ones are changed back, later ones end.
 *
 * Like the restore of files it compares before it changes, so it can be begun again at any point.
 */
import { failpoint } from '../../../platform/index.ts';
import type { GrantId, NodeId } from '../../../base/ids.ts';
import type { Actor, GrantRecord, MetadataStore, PastSpace } from '../../../metadata/index.ts';
import type { Slice } from './slice.ts';

export interface SharingJob {
  past: PastSpace;
  /** Only what was at or below this node then, and is live now. */
  nodeId: NodeId;
  actor: () => Actor;
  slice: Slice;
  /** undefined: all of them may be touched. */
  only: ReadonlySet<GrantId> | undefined;
  signal?: AbortSignal;
}

/** @throws as Slice. */
export async function restoreSharing(metadata: MetadataStore, job: SharingJob): Promise<void> {
  const { past, actor, slice } = job;
  const { spaceId } = past;
  const { then, now } = await comparable(metadata, job);
  const wanted = new Map(then.map((grant) => [grant.id, grant]));
  const present = new Map(now.map((grant) => [grant.id, grant]));
  for (const { id: grantId } of now) {
    if (wanted.has(grantId)) continue;
    await slice.add(metadata.commit({ op: 'remove-grant', spaceId, grantId, actor: actor() }));
  }
  await slice.flush(); // One of them may have the place of one that comes back.
  failpoint('files.restore-sharing');
  for (const grant of then) {
    const there = present.get(grant.id);
    if (there !== undefined && isSame(there, grant)) continue;
    const { id, nodeId, subject, role, isShown, expiresAt, terms, createdBy, createdAt } = grant;
    await slice.add(metadata.commit({
      op: 'put-grant', spaceId, nodeId, subject, role, isShown, expiresAt, terms, actor: actor(),
      ...(there === undefined ? { revives: { id, createdBy, createdAt } } : { grantId: id }),
    }));
  }
  await slice.flush();
}

/** The grants of then and of now at nodes that the job is about. */
async function comparable(
  metadata: MetadataStore, { past, nodeId: topId, only, signal }: SharingJob,
): Promise<{ then: GrantRecord[]; now: GrantRecord[] }> {
  const mayTouch = ({ id }: GrantRecord): boolean => only?.has(id) ?? true;
  const then = (await past.listGrants()).filter(mayTouch);
  const now = (await metadata.listGrants(past.spaceId)).filter(mayTouch);
  const nodes = new Set<NodeId>();
  for (const nodeId of new Set([...then, ...now].map((grant) => grant.nodeId))) {
    signal?.throwIfAborted();
    const chain = await past.findChain(nodeId);
    if (chain?.some(({ id }) => id === topId) !== true) continue;
    if (await metadata.findChain(past.spaceId, nodeId) !== undefined) nodes.add(nodeId);
  }
  const isHere = ({ nodeId }: GrantRecord): boolean => nodes.has(nodeId);
  return { then: then.filter(isHere), now: now.filter(isHere) };
}

function isSame(a: GrantRecord, b: GrantRecord): boolean {
  return a.role === b.role && a.isShown === b.isShown && a.expiresAt === b.expiresAt
    && a.terms === b.terms && textOf(a) === textOf(b);
}

function textOf({ subject }: GrantRecord): string {
  return subject.kind === 'link' ? subject.tokenHash : subject.id;
}
