import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../../base/ids.ts';
import { QuotaService, SpaceDirectory, TeamService, TransferService } from '../../files/index.ts';
import { ManualClock } from '../../platform/index.ts';
import { peopleOf } from '../people.ts';
import type { Administration, AdministrativeAct, ShownStorage } from './administration.ts';
import { MinuteSeries, SERIES_STEPS_MAX } from './minute-series.ts';
import type { SeriesSteps } from './minute-series.ts';
import { safetyOf } from './safety.ts';
import { PASSWORD, RestSite, START_MS } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

const WAIT = { timeout: 120_000 };
const NOW = Date.UTC(2026, 10, 21);
const ACME = parseTenantId('acme');
const PLAN = {
  action: 'drain', diskId: 'd1', volumeCount: 2, volumeBytes: 9, objections: [], notes: ['ok'],
  etag: 'e1',
};

const BEHIND = { lagBlocks: 0, lagBytes: 0, isRefusing: false, comparedMs: undefined };
const RULED = {
  kind: 'personal' as const, tenant: DEFAULT_TENANT, subject: 'ben', spaceId: undefined, rule: {},
  policy: { keepAllDays: 30, keepDailyDays: 90, trashKeepDays: 0 },
};
const COLLECTED = {
  censuses: [], suspects: { count: 0, bytes: 0, ripeCount: 0, ripeBytes: 0 } as never,
  trash: [], unlinkedCount: 2, unlinkedBytes: 9, ledgerEntries: 4,
};

function emptySeries(steps?: SeriesSteps): MinuteSeries {
  return new MinuteSeries(new ManualClock(NOW), {
    totals: () => ({ requests: 0, errors: 0, buckets: [] }),
    storedBytes: () => 0, loopDelayMs: () => 0, listeners: () => 0,
  }, steps);
}

describe('administration in the API', WAIT, () => {
  let site: RestSite;
  const ruled: object[] = [];
  const begun: string[] = [];
  const noted: AdministrativeAct[] = [];
  const ordered: string[] = [];
  const root = { auth: `anna:${PASSWORD}` };
  const dora = { auth: `dora:${PASSWORD}` };
  const ben = { auth: `ben:${PASSWORD}` };

  before(async () => {
    site = await RestSite.open({
      administration: ({ metadata, identity, now }): Administration => {
        const defaults = { casePolicy: 'sensitive' as const, quotaBytes: undefined };
        const spaces = new SpaceDirectory({ metadata, defaults, now });
        const storage = {
          blockCount: 3, storedBytes: 42, queuedBytes: 0, damagedCount: 0, refusesWrites: undefined,
        };
        return {
          quotas: new QuotaService({ metadata, spaces, now }), brakes: undefined,
          teams: new TeamService({ metadata, spaces, people: peopleOf(identity), now }),
          transfers: new TransferService({ metadata, spaces, accounts: identity.users, now }),
          series: emptySeries(), liveSeries: emptySeries({ stepMs: 10_000, stepsMax: 3 }),
          retention: {
            show: async () => RULED,
            set: async (_, rule) => {
              ruled.push(rule);
              return RULED;
            },
          },
          collection: {
            show: async () => ({ isOn: true, isRunning: begun.length > 0, status: COLLECTED }),
            start: (tenant) => void begun.push(tenant),
          },
          policies: ['default'],
          async order(name) {
            ordered.push(name);
            if (name === 'disk.list') return { single: true, storedBytes: 42 };
            return name === 'disk.plan' ? PLAN : {};
          },
          note: (act) => noted.push(act),
          verification: async () => undefined,
          jobs: async () => [{ id: 'repair', kind: 'repair', state: 'waiting' }],
          audit: async (tenant, { before: behind, limit }) => ({
            entries: [{ seq: (behind ?? 9) - 1, at: NOW, act: 'create', user: tenant }],
            next: limit === 1 ? 3 : undefined,
          }),
          settings: () => [{ key: 'a.b', value: '"***"', source: 'file', isSecret: true }],
          health: () => ({
            state: 'serving', startedAt: NOW, version: '1', requestsUnderWay: 1, storage,
            closedTenants: [],
          }),
          storage: async () => ({
            copies: 2, waitingVolumes: 0, damagedCount: 0, refusesWrites: undefined,
            kind: 'disks', diskCount: 3, mirror: undefined, storedBytes: 42,
          }),
        };
      },
    });
    const { tenants, users } = site.cloud.identity;
    await tenants.create({ id: ACME });
    await users.add({ id: 'dora', password: PASSWORD, tenant: ACME, admin: true });
    await users.add({ id: 'emil', password: PASSWORD, tenant: ACME });
  });
  after(() => site.close());

  it('is refused to everybody else', async () => {
    const { document } = site.contract;
    const paths = ['/users', '/groups', '/tenants', '/quotas', '/disks', '/verifiers', '/jobs',
      '/audit', '/configuration', '/health', '/series', '/locks', '/spaces', '/storage',
      '/retention', '/collection'];
    for (const path of paths) {
      assert.ok(document.paths[`/api/v1${path}`], path);
      assert.equal((await site.ask('GET', path, ben)).status, 403, path);
      assert.equal((await site.ask('GET', path, { auth: undefined })).status, 401, path);
    }
  });

  it('of another tenant is of that tenant alone', async () => {
    const users = await site.ask('GET', '/users', dora);
    assert.deepEqual(users.json.items.map(({ id }: Json) => id), ['dora', 'emil']);
    for (const [method, path] of [
      ['GET', '/users/anna'], ['PATCH', '/users/anna'], ['PUT', '/users/anna/password'],
    ] as const) {
      const json = method === 'PUT' ? { password: 'a new one 12' } : {};
      const { status } = await site.ask(method, path, {
        ...dora, ...(method !== 'GET' && { json }),
      });
      assert.equal(status, 404, path);
    }
    for (const path of ['/users?tenant=default', '/disks', '/series', '/health', '/configuration',
      '/audit?tenant=default', '/verifiers?tenant=default', '/quotas?tenant=default']) {
      assert.equal((await site.ask('GET', path, dora)).json.code, 'installation-only', path);
    }
    const other = { json: { id: 'x', tenant: 'default', password: 'a new one 12' } };
    assert.equal((await site.ask('POST', '/users', { ...dora, ...other })).status, 403);
    assert.equal((await site.ask('POST', '/tenants', { ...dora, json: { id: 'y' } })).status, 403);
    assert.deepEqual((await site.ask('GET', '/tenants', dora)).json.items.map(
      ({ id }: Json) => id,
    ), ['acme']);
    const limit = { json: { tenant: 'acme', limitBytes: 5 } };
    assert.equal((await site.ask('PUT', '/quotas', { ...dora, ...limit })).status, 403);
    const foreign = { json: { user: 'anna', limitBytes: 5 } };
    assert.equal((await site.ask('PUT', '/quotas', { ...dora, ...foreign })).status, 404);
    const { json: { spaceId } } = await site.ask('GET', '/nodes/by-path?path=/');
    const space = { json: { spaceId, limitBytes: 5 } };
    assert.equal((await site.ask('PUT', '/quotas', { ...dora, ...space })).status, 404);
  });

  it('turns the second step of others off, and not the own', async () => {
    noted.length = 0;
    const { secondFactors } = site.cloud.identity;
    const proof = { user: parseUserId('ben'), password: PASSWORD, address: '192.0.2.1' };
    const caller = await site.cloud.identity.authenticateBasic(proof);
    const { secret } = await secondFactors.begin(proof, '');
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: START_MS });
    await secondFactors.turnOn(caller, { code, address: proof.address });
    const seen = await site.ask('GET', '/users/ben');
    assert.equal(seen.json.hasSecondFactor, true);
    const path = '/users/ben/second-factor';
    assert.equal((await site.ask('DELETE', path, dora)).status, 404);
    for (let times = 0; times < 2; times += 1) {
      assert.equal((await site.ask('DELETE', path)).status, 204);
    }
    assert.equal((await site.ask('GET', '/account', ben)).json.hasSecondFactor, false);
    assert.deepEqual(
      noted.map(({ act, subject, by }) => [act, subject, by.user]),
      [['second-factor-off', 'ben', 'anna']],
    );
    const own = await site.ask('DELETE', '/users/anna/second-factor');
    assert.deepEqual([own.status, own.json.code], [409, 'yourself']);
  });

  it('keeps accounts, and notes who did what', async () => {
    noted.length = 0;
    const made = await site.ask('POST', '/users', {
      ...root, json: { id: 'carl', password: 'a good one 123', email: 'carl@example.org' },
    });
    assert.deepEqual([made.status, made.json.isAdmin, made.json.email],
      [201, false, 'carl@example.org']);
    assert.equal(made.text.includes('a good one'), false);
    const changed = await site.ask('PATCH', '/users/carl', {
      json: { displayName: 'Carl C.', email: null, isDisabled: true },
    });
    assert.deepEqual([changed.json.displayName, changed.json.email, changed.json.isDisabled],
      ['Carl C.', undefined, true]);
    assert.equal((await site.ask('GET', '/account', { auth: 'carl:a good one 123' })).status, 401);
    await site.ask('PATCH', '/users/carl', { json: { isDisabled: false } });
    await site.ask('PUT', '/users/carl/password', { json: { password: 'another one 123' } });
    assert.equal((await site.ask('GET', '/account', { auth: 'carl:another one 123' })).status, 200);
    for (const json of [{ isAdmin: false }, { isDisabled: true }]) {
      assert.equal((await site.ask('PATCH', '/users/anna', { json })).json.code, 'yourself');
    }
    assert.deepEqual(noted.map(({ act, subject, by }) => [act, subject, by.user]), [
      ['user-added', 'carl', 'anna'], ['user-changed', 'carl', 'anna'],
      ['user-disabled', 'carl', 'anna'], ['user-enabled', 'carl', 'anna'],
      ['password-set', 'carl', 'anna'],
    ]);
    const first = await site.ask('GET', '/users?limit=1');
    const second = await site.ask('GET', `/users?limit=9&cursor=${first.json.nextCursor}`);
    assert.deepEqual([...first.json.items, ...second.json.items].map(({ id }: Json) => id),
      ['anna', 'ben', 'carl']);
  });

  it('keeps groups and their members', async () => {
    assert.equal((await site.ask('POST', '/groups', { json: { id: 'crew' } })).status, 201);
    assert.equal((await site.ask('PUT', '/groups/crew/members/ben')).status, 204);
    assert.equal((await site.ask('PUT', '/groups/crew/members/emil')).status, 403);
    assert.deepEqual((await site.ask('GET', '/groups/crew/members')).json.items, ['ben']);
    assert.deepEqual((await site.ask('GET', '/users/ben')).json.groups, ['crew']);
    assert.equal((await site.ask('GET', '/groups/crew/members', dora)).status, 404);
    assert.equal((await site.ask('DELETE', '/groups/crew/members/ben')).status, 204);
    assert.equal((await site.ask('DELETE', '/groups/crew')).status, 204);
    assert.equal((await site.ask('POST', '/groups', { json: { id: 'crew' } })).status, 409);
  });

  it('sets quotas, and shows what is used', async () => {
    await site.put('a.txt', 'twelve bytes');
    const set = await site.ask('PUT', '/quotas', { json: { user: 'anna', limitBytes: 1000 } });
    assert.deepEqual([set.json.subject, set.json.limitBytes], ['anna', 1000]);
    const { json } = await site.ask('GET', '/quotas');
    assert.equal(json.items[0].kind, 'tenant');
    assert.ok(json.items.every(({ tenant }: Json) => tenant === DEFAULT_TENANT));
    assert.equal((await site.ask('PUT', '/quotas', { json: { limitBytes: 1 } })).status, 400);
    const none = await site.ask('PUT', '/quotas', { json: { user: 'anna', limitBytes: null } });
    assert.equal(none.json.limitBytes, undefined);
  });

  it('keeps spaces of teams, and who is in them', async () => {
    noted.length = 0;
    const made = await site.ask('POST', '/spaces', { json: { name: 'Choir', owner: 'ben' } });
    assert.deepEqual([made.status, made.json.name, made.json.memberCount], [201, 'Choir', 1]);
    const { id } = made.json;
    assert.deepEqual(noted.map(({ act, subject }) => [act, subject]), [['space-added', 'Choir']]);
    const add = await site.ask('PUT', `/spaces/${id}/members/user/anna`, {
      json: { role: 'viewer' },
    });
    assert.equal(add.status, 204);
    const { json: seen } = await site.ask('GET', '/nodes/by-path?path=/Choir');
    assert.equal(seen.kind, 'folder');
    assert.deepEqual((await site.ask('GET', `/spaces/${id}/members`)).json.items.map(
      ({ id: who, role }: Json) => [who, role],
    ), [['ben', 'owner'], ['anna', 'viewer']]);
    const last = await site.ask('DELETE', `/spaces/${id}/members/user/ben`);
    assert.deepEqual([last.status, last.json.code], [409, 'last-owner']);
    const less = await site.ask('PUT', `/spaces/${id}/members/user/ben`, {
      json: { role: 'editor' },
    });
    assert.equal(less.json.code, 'last-owner');
    const stranger = await site.ask('PUT', `/spaces/${id}/members/user/emil`, {
      json: { role: 'viewer' },
    });
    assert.deepEqual([stranger.status, stranger.json.code], [400, 'nobody']);
    assert.equal((await site.ask('DELETE', `/spaces/${id}/members/user/anna`)).status, 204);
    assert.equal((await site.ask('GET', '/nodes/by-path?path=/Choir')).status, 404);
    const renamed = await site.ask('PATCH', `/spaces/${id}`, { json: { name: 'Chorus' } });
    assert.equal(renamed.json.name, 'Chorus');
    await site.ask('POST', '/spaces', { json: { name: 'Crew' } });
    const first = await site.ask('GET', '/spaces?limit=1');
    const second = await site.ask('GET', `/spaces?limit=1&cursor=${first.json.nextCursor}`);
    assert.deepEqual([...first.json.items, ...second.json.items].map(({ name }: Json) => name),
      ['Chorus', 'Crew']);
    assert.equal(second.json.nextCursor, undefined);
    assert.equal((await site.ask('GET', `/spaces/${id}`, dora)).status, 404);
    assert.deepEqual((await site.ask('GET', '/spaces', dora)).json.items, []);
    assert.equal((await site.ask('GET', '/spaces?tenant=default', dora)).status, 403);
    assert.equal((await site.ask('POST', '/spaces', { ...ben, json: { name: 'x' } })).status, 403);
  });

  it('hands files over by the plan that was looked at, and notes it', async () => {
    noted.length = 0;
    await site.put('plan.txt', 'twelve bytes');
    const order = (json: object) => site.ask('POST', '/users/anna/transfer', { json });
    assert.equal((await order({})).json.code, 'transfer-receiver');
    const plan = await order({ toUser: 'ben', folder: '/plan.txt' });
    assert.deepEqual([plan.json.fileCount, plan.json.isDone, plan.json.objections], [1, false, []]);
    const other = await order({ toUser: 'ben', folder: '/plan.txt', planEtag: 'x' });
    assert.deepEqual([other.status, other.json.code], [412, 'plan-changed']);
    assert.equal(noted.length, 0);
    const done = await order({
      toUser: 'ben', folder: '/plan.txt', planEtag: plan.json.etag,
    });
    assert.deepEqual(
      [done.json.isDone, done.json.report.after.fileCount, done.json.report.differences],
      [true, 1, []],
    );
    assert.deepEqual(noted.map(({ act, subject }) => [act, subject]),
      [['files-transferred', 'anna']]);
    const { json } = await site.ask('GET', `/nodes/by-path?path=/${
      encodeURIComponent(done.json.folderName)}/plan.txt`, ben);
    assert.equal(json.sizeBytes, 12);
    const foreign = await site.ask('POST', '/users/anna/transfer', {
      ...dora, json: { toUser: 'dora' },
    });
    assert.equal(foreign.status, 404);
    // Who and what there is in other tenants is not to be found out by handing something over.
    const { json: team } = await site.ask('POST', '/spaces', { json: { name: 'elsewhere' } });
    const receivers = [
      { toUser: 'ben' }, { toUser: 'nobody' }, { toSpaceId: team.id }, { toSpaceId: '99999' },
    ];
    for (const receiver of receivers) {
      const told = await site.ask('POST', '/users/dora/transfer', { ...dora, json: receiver });
      assert.equal(told.status, 404, JSON.stringify(receiver));
    }
  });

  it('says for how long what is past is kept, and collects garbage when told to', async () => {
    noted.length = 0;
    assert.equal((await site.ask('GET', '/retention?user=ben')).json.policy.keepAllDays, 30);
    assert.equal((await site.ask('GET', '/retention?user=ben&spaceId=1')).status, 400);
    assert.equal((await site.ask('GET', '/retention?user=ben', dora)).status, 404);
    assert.equal((await site.ask('GET', '/retention?spaceId=1', dora)).status, 404);
    await site.ask('PUT', '/retention', { json: { user: 'ben', trashKeepDays: null } });
    assert.deepEqual(ruled, [
      { keepAllDays: undefined, keepDailyDays: undefined, trashKeepDays: null },
    ]);
    const foreign = { json: { spaceId: '1', trashKeepDays: 1 } };
    assert.equal((await site.ask('PUT', '/retention', { ...dora, ...foreign })).status, 404);
    assert.equal(ruled.length, 1);
    assert.equal((await site.ask('POST', '/collection', dora)).status, 403);
    assert.equal((await site.ask('GET', '/collection')).json.isRunning, false);
    const begin = await site.ask('POST', '/collection');
    assert.deepEqual([begin.status, begin.json.isRunning, begun], [202, true, ['default']]);
    assert.deepEqual(noted.map(({ act }) => act), ['retention-set', 'collection-begun']);
    assert.equal((await site.ask('GET', '/storage')).json.diskCount, 3);
    assert.equal((await site.ask('GET', '/series?range=live')).json.stepMs, 10_000);
    const found = await site.ask('GET', '/users?search=BEN');
    assert.deepEqual(found.json.items.map(({ id }: Json) => id), ['ben']);
  });

  it('changes disks by the plan that was looked at, and by no other', async () => {
    ordered.length = 0;
    const order = (planEtag?: string) => site.ask('POST', '/disks/d1', {
      json: { action: 'drain', ...(planEtag !== undefined && { planEtag }) },
    });
    assert.deepEqual((await order()).json, { ...PLAN, isDone: false });
    assert.equal((await order('other')).json.code, 'plan-changed');
    assert.equal(ordered.includes('disk.apply'), false);
    assert.equal((await order('e1')).json.isDone, true);
    assert.equal(ordered.at(-1), 'disk.apply');
    assert.equal((await site.ask('GET', '/disks')).json.isSingle, true);
  });

  it('shows the log page by page, settings without secrets, and how the server is', async () => {
    const page = await site.ask('GET', '/audit?limit=1');
    assert.equal(page.json.items[0].seq, 8);
    const next = await site.ask('GET', `/audit?cursor=${page.json.nextCursor}`);
    assert.deepEqual([next.json.items[0].seq, next.json.nextCursor], [2, undefined]);
    assert.equal((await site.ask('GET', '/configuration')).json.items[0].isSecret, true);
    assert.equal((await site.ask('GET', '/health')).json.storage.storedBytes, 42);
    assert.deepEqual((await site.ask('GET', '/series')).json.at, []);
    assert.equal((await site.ask('GET', '/verifiers')).json.hasRun, false);
    assert.equal((await site.ask('GET', '/jobs')).json.items[0].kind, 'repair');
    assert.deepEqual((await site.ask('GET', '/locks')).json.items, []);
    assert.deepEqual((await site.ask('DELETE', '/locks/1')).json, { count: 0 });
  });

  it('says honestly that safety is not known before anything was read', async () => {
    const { json } = await site.ask('GET', '/safety', ben);
    assert.deepEqual([json.verdict, json.files, json.copies, json.everyByteReadSince],
      ['unknown', 1, 2, undefined]);
  });
});

describe('whether data is safe', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const GOOD: ShownStorage = {
    copies: 2, waitingVolumes: 0, damagedCount: 0, refusesWrites: undefined, kind: 'disks',
    diskCount: 2, mirror: undefined, storedBytes: 42,
  };
  const reading = (checked: number, sinceMs: number, openDamage = 0) => ({
    atMs: NOW, findings: [], openDamage, openNotices: 0, provedMs: undefined,
    verifiers: [{
      id: 'disk-scrubber' as const, unit: 'bytes' as const, cycleMs: 7 * DAY_MS,
      idleReason: undefined,
      coverage: { checked, total: 100, sinceMs, oldestUncheckedMs: sinceMs },
      lastBegunMs: sinceMs, lastEndedMs: NOW, openDamage: 0, openNotices: 0,
      days: [{ day: '2026-11-20', checked: 7 }],
    }],
  });
  const verdict = (
    report: Parameters<typeof safetyOf>[0]['report'], storage: Partial<ShownStorage> = {},
  ) => safetyOf({
    report, storage: { ...GOOD, ...storage }, sizeBytes: 1, now: NOW,
    counted: { files: 1, countedAt: NOW },
  });

  it('is good only when all was read in time, without damage, in several copies', () => {
    const good = verdict(reading(100, NOW - 3 * DAY_MS));
    assert.equal(good.verdict, 'good');
    assert.match(good.statements[0]?.text ?? '', /Every stored byte .* within 3 days/);
    assert.equal(verdict(undefined).verdict, 'unknown');
    assert.equal(verdict(reading(99, NOW - DAY_MS)).verdict, 'unknown');
    assert.equal(verdict(reading(99, NOW - DAY_MS)).everyByteReadSince, undefined);
    for (const [report, storage] of [
      [reading(100, NOW - 30 * DAY_MS), {}], [reading(100, NOW, 1), {}],
      [reading(100, NOW), { copies: 1 }], [reading(100, NOW), { waitingVolumes: 1 }],
      [reading(100, NOW), { damagedCount: 1 }], [undefined, { copies: 1 }],
      [reading(100, NOW), { mirror: { ...BEHIND, lagBlocks: 1 } }],
      [reading(100, NOW), { mirror: { ...BEHIND, isRefusing: true } }],
    ] as const) assert.equal(verdict(report, storage).verdict, 'attention');
  });
});

describe('figures by the minute', () => {
  it('are what each minute brought, of a day at most', () => {
    const clock = new ManualClock(NOW);
    let minute = 0;
    const series = new MinuteSeries(clock, {
      totals: () => ({
        requests: minute * 100, errors: minute, buckets: [
          { uptoMs: 1, count: minute * 98 }, { uptoMs: 50, count: minute },
          { uptoMs: 100, count: minute },
        ],
      }),
      storedBytes: () => 7, loopDelayMs: () => undefined, listeners: () => 2,
    });
    for (minute = 1; minute <= SERIES_STEPS_MAX + 5; minute += 1) clock.advance(60_000);
    assert.equal(series.list().length, SERIES_STEPS_MAX);
    const { at, ...last } = series.list().at(-1) ?? { at: 0 };
    assert.equal(at, clock.now());
    assert.deepEqual(last, {
      requests: 100, errors: 1, p50Ms: 1, p99Ms: 50, storedBytes: 7, loopDelayMs: undefined,
      listeners: 2,
    });
    series.stop();
    clock.advance(60_000);
    assert.equal(series.list().at(-1)?.at, at);
  });
});
