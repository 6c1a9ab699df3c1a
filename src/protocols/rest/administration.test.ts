import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseTenantId } from '../../base/ids.ts';
import { QuotaService, SpaceDirectory } from '../../files/index.ts';
import { ManualClock } from '../../platform/index.ts';
import type { Administration, AdministrativeAct } from './administration.ts';
import { MinuteSeries, SERIES_STEPS_MAX } from './minute-series.ts';
import { safetyOf } from './safety.ts';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

const WAIT = { timeout: 120_000 };
const NOW = Date.UTC(2026, 10, 21);
const ACME = parseTenantId('acme');
const PLAN = {
  action: 'drain', diskId: 'd1', volumeCount: 2, volumeBytes: 9, objections: [], notes: ['ok'],
  etag: 'e1',
};

describe('administration in the API', WAIT, () => {
  let site: RestSite;
  const noted: AdministrativeAct[] = [];
  const ordered: string[] = [];
  const root = { auth: `anna:${PASSWORD}` };
  const dora = { auth: `dora:${PASSWORD}` };
  const ben = { auth: `ben:${PASSWORD}` };

  before(async () => {
    site = await RestSite.open({
      administration: ({ metadata, now }): Administration => {
        const defaults = { casePolicy: 'sensitive' as const, quotaBytes: undefined };
        const spaces = new SpaceDirectory({ metadata, defaults, now });
        const storage = {
          blockCount: 3, storedBytes: 42, queuedBytes: 0, damagedCount: 0, refusesWrites: undefined,
        };
        return {
          quotas: new QuotaService({ metadata, spaces, now }), brakes: undefined,
          series: new MinuteSeries(new ManualClock(NOW), {
            totals: () => ({ requests: 0, errors: 0, buckets: [] }),
            storedBytes: () => 0, loopDelayMs: () => 0,
          }),
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
      '/audit', '/configuration', '/health', '/series', '/locks'];
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
      ['unknown', 0, 2, undefined]);
  });
});

describe('whether data is safe', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const GOOD = { copies: 2, waitingVolumes: 0, damagedCount: 0, refusesWrites: undefined };
  const reading = (checked: number, sinceMs: number, openDamage = 0) => ({
    atMs: NOW, findings: [], openDamage, openNotices: 0, provedMs: undefined,
    verifiers: [{
      id: 'disk-scrubber' as const, unit: 'bytes' as const, cycleMs: 7 * DAY_MS,
      idleReason: undefined,
      coverage: { checked, total: 100, sinceMs, oldestUncheckedMs: sinceMs },
      lastBegunMs: sinceMs, lastEndedMs: NOW, openDamage: 0, openNotices: 0,
    }],
  });
  const verdict = (
    report: Parameters<typeof safetyOf>[0]['report'], storage: Partial<typeof GOOD> = {},
  ) => safetyOf({
    report, storage: { ...GOOD, ...storage }, files: 1, sizeBytes: 1, now: NOW,
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
      storedBytes: () => 7, loopDelayMs: () => undefined,
    });
    for (minute = 1; minute <= SERIES_STEPS_MAX + 5; minute += 1) clock.advance(60_000);
    assert.equal(series.list().length, SERIES_STEPS_MAX);
    const { at, ...last } = series.list().at(-1) ?? { at: 0 };
    assert.equal(at, clock.now());
    assert.deepEqual(last, {
      requests: 100, errors: 1, p50Ms: 1, p99Ms: 50, storedBytes: 7, loopDelayMs: undefined,
    });
    series.stop();
    clock.advance(60_000);
    assert.equal(series.list().at(-1)?.at, at);
  });
});
