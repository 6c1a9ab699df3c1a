/** Webhooks in the directory database, which all servers see. What somebody could act with in the
 *  name of their owner, the address and the secret, lies there sealed. */
import type { UserId } from '../../../base/ids.ts';
import type { Clock } from '../../../platform/index.ts';
import {
  OneSession, Session, explainedFault, makeMissingTables,
} from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import type { Webhook } from '../../webhook.ts';
import { tooMany } from '../../webhook-store.ts';
import type { KeptWebhook, WebhookStore } from '../../webhook-store.ts';
import { WEBHOOK_SQL as SQL, WEBHOOK_TABLES } from './webhook-schema.ts';

const WORDS = { op: 'webhooks/MariadbWebhookStore', database: 'directory database' };

/** Whoever has the database alone reads nothing that was sealed for `owner`. */
export interface Seal {
  seal(secret: Uint8Array, owner: string): string;
  open(sealed: string, owner: string): Uint8Array | undefined;
}

export interface MariadbWebhookParts {
  address: ServerAddress;
  clock: Clock;
  seal: Seal;
  /** Told once of one whose seal does not open, which is left as it is. */
  onUnreadable: (id: string) => void;
}

export class MariadbWebhookStore implements WebhookStore {
  readonly isShared = true;
  readonly #parts: MariadbWebhookParts;
  readonly #session: OneSession;
  /** WEBHOOKS_MAX at most. */
  readonly #unreadable = new Set<string>();

  private constructor(parts: MariadbWebhookParts) {
    this.#parts = parts;
    this.#session = new OneSession({ ...parts, words: WORDS, isKnown: true });
  }

  /** Makes its table where it is missing. @throws unavailable. */
  static async open(parts: MariadbWebhookParts): Promise<MariadbWebhookStore> {
    try {
      const session = await Session.open(parts.address, 'schema');
      await makeMissingTables(session, WEBHOOK_TABLES).finally(() => session.end());
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
    return new MariadbWebhookStore(parts);
  }

  list(owner: UserId): Promise<Webhook[]> {
    return this.#session.transact(async (ask) => (await ask(SQL.listWebhooks, owner)).rows
      .flatMap((row) => this.#keptOf(row)?.webhook ?? []));
  }

  revs(): Promise<ReadonlyMap<string, number>> {
    return this.#session.transact(async (ask) =>
      new Map((await ask(SQL.listRevs)).rows.map(([id, rev]) => [String(id), Number(rev)])));
  }

  find(id: string): Promise<KeptWebhook | undefined> {
    return this.#session.transact(async (ask) => this.#keptOf((await ask(SQL.findWebhook, id))
      .rows[0]));
  }

  /** Two who add at the same moment may pass a limit by one, on a cluster of databases. */
  async add(webhook: Webhook): Promise<void> {
    await this.#session.transact(async (ask) => {
      if ((await ask(SQL.findWebhook, webhook.id)).rows.length > 0) return; // Asked once more.
      if ((await ask(SQL.addWebhook, this.#rowOf(webhook))).changes === 0) throw tooMany();
    });
  }

  /** One that another server has kept for itself until now. Calm when it is here already. */
  async take(webhook: Webhook): Promise<void> {
    await this.#session.transact((ask) => ask(SQL.takeWebhook, this.#rowOf(webhook)));
  }

  change(
    id: string, act: (webhook: Webhook) => Webhook | undefined,
  ): Promise<KeptWebhook | undefined> {
    return this.#session.transact(async (ask) => {
      const kept = this.#keptOf((await ask(SQL.lockWebhook, id)).rows[0]);
      const webhook = kept && act(kept.webhook);
      if (kept === undefined || webhook === undefined) return kept;
      await ask(SQL.changeWebhook, { id, body: bodyOf(webhook) });
      return { webhook, rev: kept.rev + 1 };
    });
  }

  async delete(id: string): Promise<void> {
    await this.#session.transact((ask) => ask(SQL.deleteWebhook, id));
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #rowOf(webhook: Webhook): Readonly<Record<string, unknown>> {
    const { id, owner, createdAt: made, url, secret } = webhook;
    const sealed = this.#parts.seal.seal(Buffer.from(JSON.stringify({ url, secret })), nameOf(id));
    return { id, owner, made, sealed, body: bodyOf(webhook) };
  }

  #keptOf(row: readonly unknown[] | undefined): KeptWebhook | undefined {
    if (row === undefined) return undefined;
    const [id, rev, sealed, body] = row as [string, number, string, string];
    const opened = this.#parts.seal.open(sealed, nameOf(id));
    if (opened === undefined) {
      if (!this.#unreadable.has(id)) this.#parts.onUnreadable(id);
      this.#unreadable.add(id);
      return undefined;
    }
    const open = JSON.parse(Buffer.from(opened).toString()) as Pick<Webhook, 'url' | 'secret'>;
    const rest = JSON.parse(body) as Omit<Webhook, 'url' | 'secret'>;
    return { webhook: { ...rest, ...open }, rev };
  }
}

function nameOf(id: string): string {
  return `webhook ${id}`;
}

function bodyOf({ url: _, secret: __, ...rest }: Webhook): string {
  return JSON.stringify(rest);
}
