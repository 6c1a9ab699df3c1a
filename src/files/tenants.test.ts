/** Tenants as people meet them: nobody sees, names or reaches anything of another tenant. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parseGroupId, parseUserId } from '../base/ids.ts';
import type { UserId } from '../base/ids.ts';
import { parseName } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type { Subject } from '../metadata/index.ts';
import {
  ACME, anna, ben, callerNamed, eve, failsWith, pathOf, ShareSite,
} from './testing/share-site.ts';
import { TrashService } from './time/trash-service.ts';
import { TransferService } from './transfer/transfer-service.ts';

const ADMIN: Caller = { ...anna, admin: true };
const THEIR_ADMIN: Caller = { ...eve, admin: true };

let site: ShareSite;
beforeEach(async () => {
  site = new ShareSite();
  await site.folder(anna, 'plans');
  await site.write(anna, 'plans/secret.txt', 'secret');
  await site.folder(eve, 'books');
  await site.write(eve, 'books/ours.txt', 'ours');
});

const shareWith = (by: Caller, path: string, kind: 'user' | 'group', id: string) =>
  site.sharing.share(by, pathOf(path), { receiver: { kind, id }, role: 'editor' });

/** A grant as no service makes it: as if one had forgotten to ask whose tenant it is. */
async function forced(by: Caller, path: string, subject: Subject): Promise<void> {
  await site.grant(by, path, subject, 'owner');
}

describe('tenants', () => {
  it('have their spaces to themselves, those of people and those of teams', async () => {
    assert.equal((await site.spaces.personalSpace(anna)).tenant, anna.tenant);
    assert.equal((await site.spaces.personalSpace(eve)).tenant, ACME);
    const ours = await site.sharing.makeTeam(ADMIN, parseName('choir'));
    const theirs = await site.sharing.makeTeam(THEIR_ADMIN, parseName('sales'));
    assert.equal((await site.spaces.find(ours)).tenant, anna.tenant);
    assert.equal((await site.spaces.find(theirs)).tenant, ACME);
    assert.deepEqual(await site.names(THEIR_ADMIN), ['books', 'sales']);
    assert.deepEqual(await site.names(ADMIN), ['choir', 'plans']);
  });

  it('do not let a known name be used to get into a space of another tenant', async () => {
    const impostor: Caller = { ...anna, tenant: ACME };
    await assert.rejects(site.names(impostor), failsWith('denied', 'other-tenant'));
    await assert.rejects(site.write(impostor, 'f'), failsWith('denied', 'other-tenant'));
    assert.deepEqual(await site.names(anna), ['plans']);
  });

  it('know nobody of another one to share with, in the words for nobody at all', async () => {
    const messageOf = async (id: string): Promise<string> => {
      const error: unknown = await shareWith(anna, 'plans', 'user', id).catch((e: unknown) => e);
      assert.ok(error instanceof Error);
      return error.message;
    };
    assert.equal(await messageOf('eve'), await messageOf('nobody'));
    await assert.rejects(shareWith(eve, 'books', 'user', 'anna'), failsWith('invalid'));
    await assert.rejects(shareWith(eve, 'books', 'group', 'crew'), failsWith('invalid'));
    await shareWith(anna, 'plans', 'user', 'ben');
    await shareWith(anna, 'plans', 'group', 'crew');
    await shareWith(eve, 'books', 'user', 'finn');
    assert.deepEqual(await site.names(ben), ['plans']);
    assert.deepEqual(await site.names(callerNamed('finn', [], 0, ACME)), ['books']);
  });

  it('show nothing to others, even where a grant says so', async () => {
    await assert.rejects(forced(anna, 'plans', { kind: 'user', id: 'eve' }),
      failsWith('denied', 'other-tenant'));
    for (const path of ['', 'plans']) await forced(anna, path, { kind: 'group', id: 'sales' });
    await forced(anna, 'plans', { kind: 'user', id: 'finn' });
    const finn = callerNamed('finn', ['sales'], 1, ACME);
    const clerk = { ...eve, groups: [parseGroupId('sales')] };
    for (const caller of [finn, clerk]) {
      assert.ok(!(await site.names(caller)).includes('plans'));
      assert.deepEqual(await site.sharing.listReceived(caller), []);
      const own = await site.spaces.personalSpace(caller);
      assert.deepEqual((await site.metadata.listMounts(own.id)).mounts, []);
    }
    const [{ id } = { id: 0 as never }] = await site.sharing.listMade(anna);
    await assert.rejects(site.sharing.get(finn, id), failsWith('not-found'));
    await assert.rejects(site.sharing.end(finn, id), failsWith('not-found'));
    const { id: spaceId } = await site.spaces.personalSpace(anna);
    const trash = new TrashService({ ...site, now: () => site.now });
    await site.files.remove(anna, pathOf('plans/secret.txt'));
    const [record] = await site.metadata.listTrash(spaceId, 9);
    assert.ok(record !== undefined);
    const entry = { spaceId, nodeId: record.nodeId, deletedRev: record.deletedRev };
    for (const caller of [finn, clerk]) {
      await assert.rejects(trash.list(caller, { spaceId, limit: 9 }), failsWith('not-found'));
      await assert.rejects(trash.get(caller, entry), failsWith('not-found'));
      await assert.rejects(trash.drop(caller, entry), failsWith('not-found'));
    }
    assert.equal((await trash.list(anna, { spaceId, limit: 9 })).entries.length, 1);
  });

  it('hand no files over to one another, whoever asks', async () => {
    const transfers = new TransferService({
      ...site, now: () => site.now,
      accounts: {
        find: async (id: UserId) => (
          { disabled: false, tenant: id === 'eve' ? ACME : anna.tenant }),
      },
    });
    const team = await site.sharing.makeTeam(THEIR_ADMIN, parseName('sales'));
    for (const to of [{ user: eve.user }, { team }]) {
      const order = { from: anna.user, to, folder: [] };
      for (const act of ['plan', 'transfer'] as const) {
        await assert.rejects(transfers[act](ADMIN, order), failsWith('denied', 'other-tenant'));
      }
    }
    const back = { from: eve.user, to: { user: parseUserId('ben') }, folder: [] };
    await assert.rejects(transfers.plan(ADMIN, back), failsWith('denied', 'other-tenant'));
    assert.equal(await site.read(eve, 'books/ours.txt'), 'ours');
  });
});
