/** Webhooks of one server, a file for each: docs/formats/webhooks.md. */
import type { UserId } from '../base/ids.ts';
import { NoteFolder } from '../platform/index.ts';
import { PER_USER_MAX, WEBHOOKS_MAX } from './webhook.ts';
import type { Webhook } from './webhook.ts';
import { tooMany } from './webhook-store.ts';
import type { KeptWebhook, WebhookStore } from './webhook-store.ts';

const FORMAT = 1;
const OPTIONS = {
  idPattern: '[A-Za-z0-9_-]{8,40}', filesMax: WEBHOOKS_MAX * 2, op: 'webhooks/FolderWebhookStore',
  messages: {
    full: 'There is no room left to keep webhooks in. Make room on the server\'s disk.',
    unavailable: 'Webhooks cannot be read or written. Is the disk full or away?',
  },
};

export class FolderWebhookStore implements WebhookStore {
  readonly isShared = false;
  /** Files that cannot be read, and were left as they are. */
  readonly unreadableCount: number;
  readonly #folder: NoteFolder;
  readonly #all = new Map<string, KeptWebhook>();
  /** Being written down; they count as if they were there. */
  readonly #adding = new Set<Webhook>();
  /** By id the last change. */
  readonly #last = new Map<string, Promise<unknown>>();

  private constructor(folder: NoteFolder, webhooks: readonly Webhook[], unreadableCount: number) {
    this.#folder = folder;
    this.unreadableCount = unreadableCount;
    for (const webhook of webhooks) this.#all.set(webhook.id, { webhook, rev: 1 });
  }

  /** Made if need be. @throws unavailable. */
  static async open(path: string): Promise<FolderWebhookStore> {
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    const webhooks = notes.flatMap(({ id, text }) => parseWebhook(id, text) ?? []);
    webhooks.sort((a, b) => a.createdAt - b.createdAt);
    return new FolderWebhookStore(folder, webhooks, notes.length - webhooks.length);
  }

  async list(owner: UserId): Promise<Webhook[]> {
    return this.everyone().filter((webhook) => webhook.owner === owner);
  }

  /** Oldest first. */
  everyone(): Webhook[] {
    return [...this.#all.values()].map(({ webhook }) => webhook);
  }

  async revs(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#all].map(([id, { rev }]) => [id, rev]));
  }

  async find(id: string): Promise<KeptWebhook | undefined> {
    return this.#all.get(id);
  }

  async add(webhook: Webhook): Promise<void> {
    const all = [...this.everyone(), ...this.#adding];
    const ofUser = all.filter(({ owner }) => owner === webhook.owner).length;
    if (ofUser >= PER_USER_MAX || all.length >= WEBHOOKS_MAX) throw tooMany();
    this.#adding.add(webhook);
    try {
      await this.#write(webhook);
      this.#all.set(webhook.id, { webhook, rev: 1 });
    } finally {
      this.#adding.delete(webhook);
    }
  }

  change(
    id: string, act: (webhook: Webhook) => Webhook | undefined,
  ): Promise<KeptWebhook | undefined> {
    return this.#inTurn(id, async () => {
      const kept = this.#all.get(id);
      const webhook = kept && act(kept.webhook);
      if (kept === undefined || webhook === undefined) return kept;
      await this.#write(webhook);
      const changed = { webhook, rev: kept.rev + 1 };
      this.#all.set(id, changed);
      return changed;
    });
  }

  delete(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#folder.delete(id);
      this.#all.delete(id);
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }

  #write(webhook: Webhook): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...webhook });
    return this.#folder.write({ id: webhook.id, text });
  }

  #inTurn<T>(id: string, act: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(id) ?? Promise.resolve()).then(act);
    const last = done.catch(() => undefined).finally(() => { // Who asked hears of it.
      if (this.#last.get(id) === last) this.#last.delete(id);
    });
    this.#last.set(id, last);
    return done;
  }
}

/** undefined: not one of ours, damaged, or of a later version. */
function parseWebhook(id: string, json: string): Webhook | undefined {
  try {
    const { format, ...kept } = JSON.parse(json) as Webhook & { format?: unknown };
    const texts = [kept.owner, kept.url, kept.secret, kept.label, kept.filter.path];
    const isWhole = format === FORMAT && kept.id === id && Array.isArray(kept.dead)
      && Array.isArray(kept.again)
      && Array.isArray(kept.filter.kinds) && texts.every((text) => typeof text === 'string');
    return isWhole ? kept : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
