import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import type { MetadataStore } from '../../metadata/index.ts';
import {
  anna, ben, callerNamed, carl, failsWith, pathOf, ShareSite,
} from '../testing/share-site.ts';
import { makeGathering } from './gathering.ts';
import type { TransferOrder } from './transfer-plan.ts';
import { TransferService } from './transfer-service.ts';

const admin: Caller = { ...callerNamed('root'), admin: true };
const dora = callerNamed('dora', ['crew'], 1);
const toBen: TransferOrder = { from: anna.user, to: { user: ben.user }, folder: [] };

const isRefused = failsWith('conflict', 'transfer-refused');

let site: ShareSite;
let transfers: TransferService;

/** What a transfer promises, whoever keeps the records. */
export function testTransfers(name: string, open: () => Promise<MetadataStore>): void {
  describe(`transfers on ${name}`, () => {
    beforeEach(async () => begin(await open()));
    afterEach(() => site.metadata.close());
    declareWhole();
    declarePlaces();
    declareParts();
    declareRefusals();
  });
}

async function begin(metadata: MetadataStore): Promise<void> {
  site = new ShareSite({ metadata });
  transfers = new TransferService({
    metadata, spaces: site.spaces, now: () => site.now,
    accounts: {
      find: async (id) => (['anna', 'ben', 'carl', 'dora'].includes(id)
        ? { disabled: site.away.has(id), tenant: DEFAULT_TENANT } : undefined),
    },
  });
  await site.folder(anna, 'work');
  await site.folder(anna, 'work/plans');
  await site.write(anna, 'work/plans/one.txt', 'one');
  await site.write(anna, 'work/two.txt', 'old');
  await site.write(anna, 'work/two.txt', 'two');
  await site.write(anna, 'diary.txt', 'dear diary');
  await site.write(anna, 'gone.txt', 'gone');
  await site.files.remove(anna, pathOf('gone.txt'));
  await site.write(ben, 'mine.txt', 'mine');
  await site.folder(carl, 'carls');
  await site.write(carl, 'carls/c.txt', 'c');
}

async function link(path: string, password?: string): Promise<string> {
  const { terms } = await site.sharing.share(anna, pathOf(path), {
    receiver: { kind: 'link' }, role: 'viewer', ...(password !== undefined && { password }),
  });
  return terms.token ?? '';
}

async function readByLink(token: string, path: string, password?: string): Promise<string> {
  const visitor = await site.links.open({ token, password, address: '::1' });
  return site.read(visitor, path);
}

async function spaceOf(caller: Caller) {
  return site.metadata.getSpace((await site.spaces.personalSpace(caller)).id);
}

function declareWhole(): void {
  it('hands over everything, and says before and after how much there is', async () => {
    const token = await link('work', 'secret');
    await site.grant(anna, 'work/plans', 'carl', 'editor');
    await site.grant(carl, 'carls', 'anna', 'viewer');
    assert.deepEqual(await site.names(anna), ['carls', 'diary.txt', 'work']);
    const plan = await transfers.plan(admin, toBen);
    assert.deepEqual([plan.fileCount, plan.folderCount, plan.sizeBytes], [3, 2, 16]);
    assert.deepEqual(plan.shares.map(({ kind, whom, path }) => [kind, whom, path]),
      [['link', '', 'work'], ['user', 'carl', 'work/plans']]);
    assert.deepEqual(plan.received, [{ path: 'carls', owner: 'carl' }]);
    assert.deepEqual([plan.oldVersionCount, plan.trashCount, plan.trashBytes], [2, 1, 4]);
    assert.deepEqual([plan.objections, plan.isInterrupted], [[], false]);
    assert.deepEqual(await site.names(ben), ['mine.txt'], 'a plan changes nothing');

    const report = await transfers.transfer(admin, toBen);
    assert.deepEqual(report.differences, []);
    assert.deepEqual(report.before, report.after);
    assert.deepEqual([report.linksKept, report.remainingCount], [1, 0]);
    assert.deepEqual(await site.names(anna), ['carls']);
    assert.deepEqual(await site.names(ben), ['Files of anna', 'mine.txt']);
    assert.equal(await site.read(ben, 'Files of anna/work/two.txt'), 'two');
    assert.equal(await site.read(carl, 'plans/one.txt'), 'one');
    await site.write(carl, 'plans/one.txt', 'by carl');
    site.away.add('anna');
    assert.equal(await readByLink(token, 'plans/one.txt', 'secret'), 'by carl');
    await assert.rejects(readByLink(token, 'plans/one.txt', 'x'), failsWith('unauthenticated'));
  });

  it('leaves older versions and the trash with the account', async () => {
    await transfers.transfer(admin, toBen);
    const { id } = await spaceOf(anna);
    const trash = await site.metadata.listTrash(id, 10);
    assert.deepEqual(trash.map(({ name }) => name), ['Files of anna', 'gone.txt']);
    assert.equal((await site.metadata.listVersionKeys(id, 100)).length, 5);
  });

  it('lets the new owner change and end the shares that came along', async () => {
    const token = await link('diary.txt');
    await transfers.transfer(admin, toBen);
    const made = await site.sharing.listMade(ben);
    assert.deepEqual(made.map(({ createdBy }) => createdBy), ['ben']);
    await site.sharing.end(ben, made[0]?.id as never);
    await assert.rejects(readByLink(token, ''), failsWith('not-found'));
  });

  it('hands over twice, into folders of two names', async () => {
    await transfers.transfer(admin, toBen);
    await site.write(anna, 'new.txt');
    const { folderName } = await transfers.transfer(admin, toBen);
    assert.equal(folderName, 'Files of anna (2)');
    const onward = { from: ben.user, to: { user: carl.user }, folder: [] };
    const { differences, after } = await transfers.transfer(admin, onward);
    assert.deepEqual([differences, after.fileCount, after.folderCount], [[], 5, 4]);
    assert.ok((await site.names(carl, 'Files of ben')).includes('Files of anna'));
  });

  it('hands over to a team, whose owner counts as the maker of the links', async () => {
    const token = await link('work');
    const team = await site.sharing.makeTeam({ ...carl, admin: true }, pathOf('Sales')[0] as never);
    const report = await transfers.transfer(admin, { from: anna.user, to: { team }, folder: [] });
    assert.deepEqual([report.differences, report.plan.to], [[], 'Sales']);
    assert.deepEqual(await site.names(carl, 'Sales/Files of anna'), ['diary.txt', 'work']);
    site.away.add('anna');
    assert.equal(await readByLink(token, 'two.txt'), 'two');
  });
}

function declarePlaces(): void {
  it('keeps the places and names that receivers gave, and what they declined', async () => {
    await site.grant(anna, 'work/plans', 'carl', 'viewer');
    await site.grant(anna, 'work', 'dora', 'viewer');
    await site.grant(anna, 'diary.txt', { kind: 'group', id: 'crew' }, 'viewer');
    assert.deepEqual(await site.names(carl), ['carls', 'plans']);
    await site.files.move(carl, pathOf('plans'), pathOf('carls/my plans'), { replace: false });
    assert.deepEqual(await site.names(dora), ['diary.txt', 'work']);
    await site.files.remove(dora, pathOf('work'));
    const { placesKept, placesLost } = await transfers.transfer(admin, toBen);
    assert.deepEqual([placesKept, placesLost], [3, 0]);
    assert.deepEqual(await site.names(carl), ['carls']);
    assert.equal(await site.read(carl, 'carls/my plans/one.txt'), 'one');
    assert.deepEqual(await site.names(dora), ['diary.txt']);
  });

  it('ends the mounts of the receiver, who owns it now', async () => {
    await site.grant(anna, 'work', 'ben', 'viewer');
    assert.deepEqual(await site.names(ben), ['mine.txt', 'work']);
    await transfers.transfer(admin, toBen);
    assert.deepEqual(await site.names(ben), ['Files of anna', 'mine.txt']);
  });
}

function declareParts(): void {
  it('hands over one folder, and leaves the rest', async () => {
    await site.grant(anna, 'work', 'carl', 'viewer');
    const order = { ...toBen, folder: pathOf('work/plans') };
    const { notes, shares } = await transfers.plan(admin, order);
    assert.equal(shares.length, 0);
    assert.match(notes.join(), /1 shares and links of folders above/);
    await transfers.transfer(admin, order);
    assert.deepEqual(await site.names(ben, 'Files of anna'), ['plans']);
    assert.deepEqual(await site.names(anna), ['diary.txt', 'work']);
    assert.deepEqual(await site.names(anna, 'work'), ['two.txt']);
  });

  it('goes on with what was gathered before it was interrupted', async () => {
    const space = await spaceOf(anna);
    const actor = () => ({ user: anna.user, device: '', at: site.now, lockTokens: [] });
    const token = await link('diary.txt');
    const [wanted] = pathOf('Files of anna');
    await makeGathering(site.metadata, space, { wanted: wanted as never, folder: '', actor });
    await site.files.move(anna, pathOf('diary.txt'), pathOf('Files of anna/diary.txt'), {
      replace: false,
    });
    await site.write(anna, 'diary.txt', 'new diary');
    const part = { ...toBen, folder: pathOf('work') };
    const isOther = failsWith('conflict', 'transfer-interrupted');
    await assert.rejects(transfers.plan(admin, part), isOther);
    assert.equal((await transfers.plan(admin, toBen)).isInterrupted, true);
    const { differences, after } = await transfers.transfer(admin, toBen);
    assert.deepEqual([differences, after.fileCount], [[], 4]);
    assert.deepEqual(await site.names(ben, 'Files of anna'),
      ['diary.txt', 'diary.txt (2)', 'work']);
    assert.equal(await readByLink(token, ''), 'dear diary');
    assert.deepEqual(await site.names(anna), []);
  });
}

function declareRefusals(): void {
  it('is refused when the quota of the receiver lacks room, and changes nothing', async () => {
    const { id } = await spaceOf(ben);
    await site.metadata.commit({ op: 'set-quota', spaceId: id, quotaBytes: 19 });
    const { objections } = await transfers.plan(admin, toBen);
    assert.match(objections.join(), /16 bytes are to come, 15 of 19 are free/);
    const { rev } = await spaceOf(anna);
    await assert.rejects(transfers.transfer(admin, toBen), isRefused);
    assert.equal((await spaceOf(anna)).rev, rev);
    await site.metadata.commit({ op: 'set-quota', spaceId: id, quotaBytes: 20 });
    assert.deepEqual((await transfers.transfer(admin, toBen)).differences, []);
  });

  it('puts everything back when the crossing is refused after all', async () => {
    await site.write(anna, 'READ.txt', 'a');
    await site.write(anna, 'read.txt', 'b');
    const strict = parseUserId('dora');
    await site.metadata.ensureSpace({
      tenant: DEFAULT_TENANT, owner: strict, casePolicy: 'insensitive', quotaBytes: undefined,
      at: site.now,
    });
    const order = { ...toBen, to: { user: strict } };
    await assert.rejects(transfers.transfer(admin, order), failsWith('conflict', 'name-clash'));
    assert.deepEqual(await site.names(anna), ['READ.txt', 'diary.txt', 'read.txt', 'work']);
    assert.deepEqual(await site.names(dora), []);
  });

  it('is refused while somebody else has locked a file; locks of the account end', async () => {
    const { node } = await site.files.get(anna, pathOf('work/two.txt'));
    const lock = {
      spaceId: node.spaceId, nodeId: node.id, scope: 'exclusive', depth: '0', ownerXml: '',
      expiresAt: site.now + 60_000,
    } as const;
    const actor = { user: anna.user, device: '', at: site.now, lockTokens: [] };
    const hold = async (token: string, holder: Caller): Promise<void> => {
      const held = { ...lock, token, holder: holder.user };
      await site.metadata.commit({ op: 'add-lock', lock: held, actor });
    };
    await hold('of carl', carl);
    await assert.rejects(transfers.transfer(admin, toBen), isRefused);
    await site.metadata.commit({
      op: 'remove-lock', spaceId: node.spaceId, token: 'of carl', breaks: true, actor,
    });
    await hold('of anna', anna);
    assert.deepEqual((await transfers.transfer(admin, toBen)).differences, []);
  });

  it('is for administrators alone, and asks for two accounts that are there', async () => {
    await assert.rejects(transfers.plan(anna, toBen), failsWith('denied'));
    await assert.rejects(transfers.transfer(ben, toBen), failsWith('denied'));
    type Kind = 'invalid' | 'not-found' | 'conflict';
    const wrong = async (order: Partial<TransferOrder>, kind: Kind) =>
      assert.rejects(transfers.plan(admin, { ...toBen, ...order }), failsWith(kind));
    await wrong({ from: parseUserId('nobody') }, 'not-found');
    await wrong({ to: { user: parseUserId('nobody') } }, 'not-found');
    await wrong({ to: { user: anna.user } }, 'invalid');
    await wrong({ folder: pathOf('no/such') }, 'not-found');
    await site.folder(dora, 'x');
    site.away.add('ben');
    await wrong({}, 'conflict');
    site.away.add('anna');
    assert.deepEqual((await transfers.plan(admin, { ...toBen, to: { user: dora.user } }))
      .objections, []);
  });
}
