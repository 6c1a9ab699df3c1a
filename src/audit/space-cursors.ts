/**
 * Up to which revision the journal of each space is in the audit log. The log itself says so: every
 * entry that repeats an event names space and revision. The file `cursors.json` only spares reading
 * all of it again: it says what was true at one entry, and what came later is read from the log.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from './audit-entry.ts';
import { readSegment } from './read-audit.ts';
import { listSegments } from './segments.ts';

const NAME = 'cursors.json';

export class SpaceCursors {
  readonly #folder: string;
  readonly #revs: Map<number, number>;
  /** Of the last entry that was taken into account. */
  #seq: number;

  private constructor(folder: string, { seq, revs }: { seq: number; revs: Map<number, number> }) {
    this.#folder = folder;
    this.#seq = seq;
    this.#revs = revs;
  }

  /** Before the log is opened for writing, or after: only sound lines count. */
  static async open(folder: string): Promise<SpaceCursors> {
    const cursors = new SpaceCursors(folder, await readNote(folder));
    const segments = await listSegments(folder);
    for (const [at, { path }] of segments.entries()) {
      const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER;
      if (next - 1 <= cursors.#seq) continue;
      await readSegment(path, (entry) => entry && cursors.#take(entry));
    }
    return cursors;
  }

  /** 0 before the first event of a space. */
  of(space: number): number {
    return this.#revs.get(space) ?? 0;
  }

  /** An entry was made durable. */
  advance(space: number, rev: number, seq: number): void {
    this.#revs.set(space, Math.max(rev, this.of(space)));
    this.#seq = Math.max(seq, this.#seq);
  }

  #take({ seq, space, rev }: AuditEntry): void {
    if (seq <= this.#seq) return;
    if (space !== undefined && rev !== undefined) this.advance(space, rev, seq);
    else this.#seq = seq;
  }

  /** Not synced: without it, or with an older one, the log is read instead. */
  async save(): Promise<void> {
    const draft = join(this.#folder, `${NAME}.draft`);
    const note = { seq: this.#seq, revs: Object.fromEntries(this.#revs) };
    await writeFile(draft, JSON.stringify(note), { mode: 0o600 });
    await rename(draft, join(this.#folder, NAME));
  }
}

async function readNote(folder: string): Promise<{ seq: number; revs: Map<number, number> }> {
  const nothing = { seq: 0, revs: new Map<number, number>() };
  try {
    const note = JSON.parse(await readFile(join(folder, NAME), 'utf8')) as
      { seq?: number; revs?: Record<string, number> } | null;
    const { seq, revs } = note ?? {};
    if (typeof seq !== 'number' || revs === undefined) return nothing;
    return { seq, revs: new Map(Object.entries(revs).map(([id, rev]) => [Number(id), rev])) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothing;
    if (error instanceof SyntaxError) return nothing;
    throw error;
  }
}
