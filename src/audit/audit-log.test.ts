import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { AuditEntry, NewAuditEntry } from './audit-entry.ts';
import { AuditLog } from './audit-log.ts';
import { verifyAudit } from './read-audit.ts';
import { listSegments } from './segments.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-audit-'));
after(() => rm(root, { recursive: true }));

const SEGMENT_BYTES = 1_000;

describe('AuditLog', () => {
  let folder: string;
  let count = 0;

  const openLog = () => AuditLog.open({
    folder, tenant: 'default', now: () => 5_000, segmentBytesMax: SEGMENT_BYTES,
  });
  const entryOf = (at: number): NewAuditEntry =>
    ({ at, act: 'create', user: 'ada', device: 'laptop', from: '::1', space: 1, rev: at });
  const read = async (): Promise<AuditEntry[]> => {
    const entries: AuditEntry[] = [];
    await verifyAudit(folder, undefined, (entry) => {
      if (entry !== undefined) entries.push(entry);
    });
    return entries;
  };
  const segmentPath = async (at: number): Promise<string> =>
    (await listSegments(folder)).at(at)?.path ?? assert.fail('no such segment');

  beforeEach(async () => {
    folder = join(root, String(count++));
    const log = await openLog();
    for (let at = 1; at <= 20; at++) await log.append(entryOf(at));
    await log.close();
  });

  it('keeps entries in the order of the calls, over segments and restarts', async () => {
    const log = await openLog();
    await Promise.all(Array.from({ length: 50 }, (_, at) => log.append(entryOf(21 + at))));
    await log.close();
    assert.deepEqual(await read(), Array.from({ length: 70 }, (_, at) => ({
      seq: at + 1, ...entryOf(at + 1),
    })));
    const { breaks, entries, segments, place } = await verifyAudit(folder, log.place);
    assert.deepEqual([breaks, entries], [[], 70]);
    assert.ok(segments > 3, `${segments} segments`);
    assert.deepEqual(place, log.place);
  });

  it('takes names with every line end there is', async () => {
    const log = await openLog();
    const name = 'a\nb\rc\u0085d\u2028e\u2029f';
    for (let at = 21; at <= 30; at += 1) await log.append({ ...entryOf(at), name });
    await log.close();
    const { breaks, entries } = await verifyAudit(folder, log.place);
    assert.deepEqual([breaks, entries], [[], 30]);
    assert.equal((await read()).at(-1)?.name, name);
  });

  it('is written as its format says, byte by byte', async () => {
    const [header, first] = (await readFile(await segmentPath(0), 'utf8')).split('\n');
    assert.equal(header, '1a993e6d98c1ce317cdb7b702b56aa2ee50e90008feec619dd11492bb1a96b3c '
      + `{"format":1,"tenant":"default","first":1,"previous":"${'0'.repeat(64)}"}`);
    assert.equal(first?.slice(64), ' {"seq":1,"at":1,"act":"create","user":"ada",'
      + '"device":"laptop","from":"::1","space":1,"rev":1}');
  });

  it('notices any single changed byte of any segment', async () => {
    for (const { path } of await listSegments(folder)) {
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += 7) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        await writeFile(path, changed);
        const { breaks, tornBytes } = await verifyAudit(folder);
        assert.ok(breaks.length > 0 || tornBytes > 0, `byte ${at}`);
      }
      await writeFile(path, bytes);
    }
  });

  it('notices a segment, or the end, that is missing', async () => {
    const { place } = await verifyAudit(folder);
    const paths = (await listSegments(folder)).map(({ path }) => path);
    for (const path of paths) {
      const bytes = await readFile(path);
      await rm(path);
      assert.ok((await verifyAudit(folder, place)).breaks.length > 0);
      await writeFile(path, bytes);
    }
    const last = await readFile(await segmentPath(-1));
    await truncate(await segmentPath(-1), last.lastIndexOf(10, -2) + 1);
    const { breaks: [found] } = await verifyAudit(folder, place);
    assert.equal(found?.reason, 'shorter');
  });

  it('sets aside what a crash has left of a batch, wherever it was cut, and says so', async () => {
    const path = await segmentPath(-1);
    const whole = await readFile(path);
    const pieces = ['x', '0123 {"seq":21', '\0'.repeat(40), `${'\0'.repeat(40)}\n`, 'a\nb\n'];
    for (const piece of pieces) {
      await writeFile(path, Buffer.concat([whole, Buffer.from(piece)]));
      await (await openLog()).close();
      const last = (await read()).at(-1);
      assert.deepEqual([last?.seq, last?.act], [21, 'log-cut']);
      assert.match(last?.note ?? '', new RegExp(`^${piece.length} bytes`));
      assert.deepEqual((await verifyAudit(folder)).breaks, []);
      assert.ok((await readdir(folder)).some((name) => name.endsWith('.20.cut')));
      await rm(join(folder, 'head.json'));
    }
  });

  it('goes on in a new segment behind one that was damaged, and stays found out', async () => {
    const path = await segmentPath(-1);
    const bytes = await readFile(path);
    bytes[10] = (bytes[10] as number) ^ 1;
    await writeFile(path, bytes);
    const log = await openLog();
    await log.append(entryOf(21));
    await log.close();
    assert.ok((await readFile(path)).equals(bytes), 'what is damaged is left as it is');
    const { breaks } = await verifyAudit(folder, log.place);
    assert.ok(breaks.some(({ reason }) => reason === 'header'));
    assert.equal((await read()).at(-1)?.seq, 21);
  });

  it('refuses what comes after it was closed', async () => {
    const log = await openLog();
    await log.close();
    await log.close();
    await assert.rejects(log.append(entryOf(1)), (error) => isKind(error, 'unavailable'));
  });

  it('cuts long text, and says so', async () => {
    const log = await openLog();
    await log.append({ ...entryOf(21), name: 'x'.repeat(5_000) });
    await log.close();
    assert.equal((await read()).at(-1)?.name, `${'x'.repeat(1_000)}… (5000 characters)`);
  });

  it('takes a line without end for damage, with little memory', async () => {
    await appendFile(await segmentPath(-1), Buffer.alloc(1_000_000, 'y'));
    const { breaks } = await verifyAudit(folder);
    assert.equal(breaks[0]?.reason, 'line');
  });
});
