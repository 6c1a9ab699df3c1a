/** The audit log, what is held of devices, and locks of others. */
import { HoldfastError } from '../../base/errors.ts';
import type { BrakeService, Decider } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { QuarantineRecord } from '../../metadata/index.ts';
import type { AuditEntry } from '../../audit/index.ts';
import {
  AuditPage, AuditQuery, BrokenLocks, HeldPage, ManagedLocks, QuarantineShape, QuarantinesShape,
} from '../../wire/administration.ts';
import { LIST_LIMIT_DEFAULT, Paging } from '../../wire/shapes.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { nodeIdOf, textOfPath, timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { tenantMeant } from './tenant-rights.ts';

const TAG = 'administration';

export function watchAdminResource(api: RestApi, parts: RestParts): void {
  const { administration, files } = parts;
  if (administration !== undefined) {
    api.operation({
      id: 'listAudit', tag: TAG, method: 'GET', path: '/audit', scope: 'admin',
      summary: 'Who did what in a tenant, newest first', query: AuditQuery,
      success: { status: 200, description: 'Entries of the audit log.', schema: AuditPage },
      async answer({ caller, query }) {
        const { tenant: wanted, cursor, limit = LIST_LIMIT_DEFAULT, user, act } = query;
        const [sinceMs, untilMs] = [timeOf(query.since), timeOf(query.until)];
        const tenant = tenantMeant(caller, wanted);
        const list = `audit ${tenant}`;
        const [before] = cursor === undefined ? [undefined] : readCursor(list, cursor, ['number']);
        const { entries, next } = await administration.audit(tenant, {
          before, limit, user, act, sinceMs, untilMs,
        });
        const nextCursor = next === undefined ? {} : { nextCursor: makeCursor(list, next) };
        return { body: { items: entries.map(auditAnswer), ...nextCursor } };
      },
    });
    if (administration.brakes !== undefined) quarantines(api, administration.brakes);
  }
  api.operation({
    id: 'listLocks', tag: TAG, method: 'GET', path: '/locks', scope: 'admin',
    summary: 'All locks in the own tenant',
    success: { status: 200, description: 'At most 10,000.', schema: ManagedLocks },
    async answer({ caller }) {
      const items = (await files.locks.listAll(caller)).map((lock) => ({
        nodeId: String(lock.nodeId), spaceId: String(lock.spaceId), holder: lock.holder,
        scope: lock.scope, isDeep: lock.depth === 'infinity', until: timeText(lock.expiresAt),
        ...(lock.name !== undefined && { name: lock.name }),
      }));
      return { body: { items } };
    },
  });
  api.operation({
    id: 'breakLocks', tag: TAG, method: 'DELETE', path: '/locks/{id}', scope: 'admin',
    summary: 'End all locks at a file or folder, whoever holds them', params: ById,
    success: { status: 200, description: 'How many there were.', schema: BrokenLocks },
    answer: async ({ caller, params }) => ({
      body: { count: await files.locks.breakAll(caller, nodeIdOf(params.id)) },
    }),
  });
}

function quarantines(api: RestApi, brakes: BrakeService): void {
  api.operation({
    id: 'listQuarantines', tag: 'files', method: 'GET', path: '/quarantines', scope: 'files:read',
    summary: 'What is held of devices, and waits for a decision of whoever asks',
    success: { status: 200, description: 'Newest first.', schema: QuarantinesShape },
    answer: async ({ caller }) => ({
      body: { items: (await brakes.listFor(caller)).map(quarantineAnswer) },
    }),
  });
  api.operation({
    id: 'listHeld', tag: 'files', method: 'GET', path: '/quarantines/{id}/held',
    scope: 'files:read', summary: 'What is held', params: ById, query: Paging,
    success: { status: 200, description: 'In the order in which it came.', schema: HeldPage },
    async answer({ caller, params, query: { cursor, limit = LIST_LIMIT_DEFAULT } }) {
      const { id } = await ofCaller(brakes, caller, params.id);
      const list = `held ${id}`;
      const [after] = cursor === undefined ? [0] : readCursor(list, cursor, ['number']);
      const held = await brakes.show(id, limit, after);
      const last = held.at(-1);
      const isMore = held.length === limit && last !== undefined;
      const items = held.map((one) => ({
        id: String(one.id), nodeId: String(one.nodeId), kind: one.kind, name: one.name,
        nodeKind: one.nodeKind === 'file' ? 'file' as const : 'folder' as const,
        ...(one.path !== undefined && { path: textOfPath(one.path) }),
        heldAt: timeText(one.heldAt), sizeBytes: one.sizeBytes,
      }));
      return { body: { items, ...(isMore && { nextCursor: makeCursor(list, last.id) }) } };
    },
  });
  api.operation({
    id: 'keepHeld', tag: 'files', method: 'POST', path: '/quarantines/{id}/keep',
    scope: 'files:write', summary: 'What the device has deleted and overwritten holds for all',
    params: ById, refusals: [409],
    success: { status: 200, description: 'It is being done.', schema: QuarantineShape },
    async answer({ caller, params }) {
      const { id } = await ofCaller(brakes, caller, params.id);
      await brakes.keep(id, deciderOf(caller));
      return { body: quarantineAnswer(await brakes.get(id)) };
    },
  });
  api.operation({
    id: 'undoHeld', tag: 'files', method: 'POST', path: '/quarantines/{id}/undo',
    scope: 'files:write', summary: 'The device gets its files back', params: ById, refusals: [409],
    success: { status: 200, description: 'It is done.', schema: QuarantineShape },
    async answer({ caller, params }) {
      const { id } = await ofCaller(brakes, caller, params.id);
      return { body: quarantineAnswer(await brakes.undo(id, deciderOf(caller))) };
    },
  });
}

/** One that waits for this caller's decision. @throws not-found. */
async function ofCaller(
  brakes: BrakeService, caller: Caller, rawId: string,
): Promise<QuarantineRecord> {
  const found = (await brakes.listFor(caller)).find(({ id }) => String(id) === rawId);
  if (found !== undefined) return found;
  const message = 'There is no such quarantine, or it is decided already.';
  throw new HoldfastError('not-found', 'rest/quarantines', message, { code: 'quarantine-missing' });
}

function deciderOf({ user, device, admin: isAdmin, tenant }: Caller): Decider {
  return { user, device, isAdmin, tenant };
}

function quarantineAnswer(record: QuarantineRecord) {
  const { id, spaceId, user, device, state, openedAt, heldCount, heldBytes } = record;
  const { batchId, decidedBy, decidedAt } = record;
  return {
    id: String(id), spaceId: String(spaceId), user, device, state, openedAt: timeText(openedAt),
    heldCount, heldBytes, ...(batchId !== undefined && { batchId: String(batchId) }),
    ...(decidedBy !== undefined && { decidedBy }),
    ...(decidedAt !== undefined && { decidedAt: timeText(decidedAt) }),
  };
}

function auditAnswer(entry: AuditEntry) {
  const { seq, at, act, user, device, from, space, node, folder } = entry;
  const { name, nameBefore, subject, note } = entry;
  return {
    seq, at: timeText(at), act, user, ...(device !== undefined && { device }),
    ...(from !== undefined && { from }), ...(space !== undefined && { spaceId: String(space) }),
    ...(node !== undefined && { nodeId: String(node) }),
    ...(folder !== undefined && { folderId: String(folder) }),
    ...(name !== undefined && { name }), ...(nameBefore !== undefined && { nameBefore }),
    ...(subject !== undefined && { subject }), ...(note !== undefined && { note }),
  };
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
