import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { BlobPage } from './azure-answers.ts';
import { AzureListing, type PageRequest } from './azure-listing.ts';

const CALL = { op: 'test', signal: new AbortController().signal };
const PREFIX = 'a/blocks/';

/** A service with these blobs that gives `pageMax` at once, and sometimes an empty page. */
class Service {
  readonly requests: PageRequest[] = [];
  readonly #keys: readonly string[];
  readonly #pageMax: number;
  readonly #emptyEvery: number;

  constructor(keys: readonly string[], pageMax: number, emptyEvery = 0) {
    this.#keys = keys.toSorted();
    this.#pageMax = pageMax;
    this.#emptyEvery = emptyEvery;
  }

  readonly fetch = (request: PageRequest): Promise<BlobPage> => {
    this.requests.push(request);
    const { prefix, marker } = request;
    const from = marker === undefined ? 0 : Number(marker.split(' ')[1]);
    // A marker belongs to the prefix that it was given for.
    assert.ok(marker === undefined || marker.startsWith(`${prefix} `));
    const keys = this.#keys.filter((key) => key.startsWith(prefix));
    const isEmpty = this.#emptyEvery > 0 && this.requests.length % this.#emptyEvery === 0;
    const end = from + (isEmpty ? 0 : this.#pageMax);
    const blobs = keys.slice(from, end).map((key) => ({ key, sizeBytes: 1 }));
    return Promise.resolve({
      blobs, nextMarker: end < keys.length ? `${prefix} ${end}` : undefined,
    });
  };
}

async function listAll(listing: AzureListing, after?: string): Promise<string[]> {
  const all: string[] = [];
  let from = after;
  for (let isMore = true; isMore;) {
    const page = await listing.list(PREFIX, from, CALL);
    assert.ok(page !== undefined);
    all.push(...page.objects.map(({ key }) => key));
    isMore = page.truncated;
    from = all.at(-1) ?? from;
  }
  return all;
}

it('lists the same as a filter would, from behind any name, whatever the pages', async () => {
  const digits = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 6, maxLength: 6 });
  const key = digits.map((letters) => PREFIX + letters.join(''));
  const keys = fc.uniqueArray(key, { maxLength: 80 });
  const pageMax = fc.integer({ min: 1, max: 30 });
  const emptyEvery = fc.constantFrom(0, 2, 3);
  const parts = [keys, key, pageMax, emptyEvery] as const;
  const property = fc.asyncProperty(...parts, async (all, after, max, gap) => {
    const listing = new AzureListing(new Service(all, max, gap).fetch);
    assert.deepEqual(await listAll(listing, after), all.filter((each) => each > after).sort());
    assert.deepEqual(await listAll(listing), all.toSorted());
  });
  await fc.assert(property, { numRuns: 300 });
});

it('begins in the middle of a big store with few requests, then one a page', async () => {
  const keys = Array.from({ length: 60_000 }, (_, at) => {
    return PREFIX + (at * 71_582).toString(16).padStart(8, '0');
  });
  const service = new Service(keys, 5000);
  const listing = new AzureListing(service.fetch);
  const after = keys[30_000] ?? assert.fail();
  const first = await listing.list(PREFIX, after, CALL);
  assert.equal(first?.objects[0]?.key, keys[30_001]);
  assert.ok(service.requests.length <= 62, `${service.requests.length} requests`);
  const before = service.requests.length;
  const rest = await listAll(listing, first?.objects.at(-1)?.key);
  assert.equal(rest.at(-1), keys.at(-1));
  assert.equal((first?.objects.length ?? 0) + rest.length, 29_999);
  assert.ok(service.requests.length - before <= 30);
});

it('takes pages that go backwards, or that never have anything, for no listing', async () => {
  const backwards = [['b1', 'b2'], ['b0']];
  const listing = new AzureListing(() => {
    const blobs = (backwards.shift() ?? []).map((name) => ({ key: PREFIX + name, sizeBytes: 1 }));
    return Promise.resolve({ blobs, nextMarker: backwards.length > 0 ? 'more' : undefined });
  });
  assert.equal(await listing.list(PREFIX, undefined, CALL), undefined);
  const endless = new AzureListing(() => Promise.resolve({ blobs: [], nextMarker: 'more' }));
  assert.equal(await endless.list(PREFIX, undefined, CALL), undefined);
});
