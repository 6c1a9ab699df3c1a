/** The files of webhooks, one for each: docs/formats/webhooks.md. */
import { NoteFolder } from '../platform/index.ts';
import { WEBHOOKS_MAX } from './webhook.ts';
import type { Webhook } from './webhook.ts';

const FORMAT = 1;
const OPTIONS = {
  idPattern: '[A-Za-z0-9_-]{8,40}', filesMax: WEBHOOKS_MAX * 2, op: 'webhooks/WebhookFolder',
  messages: {
    full: 'There is no room left to keep webhooks in. Make room on the server\'s disk.',
    unavailable: 'Webhooks cannot be read or written. Is the disk full or away?',
  },
};

export class WebhookFolder {
  readonly #folder: NoteFolder;

  private constructor(folder: NoteFolder) {
    this.#folder = folder;
  }

  /** Reads all, oldest first. What cannot be read is left as it is, and counted.
   *  @throws unavailable. */
  static async open(
    path: string,
  ): Promise<{ folder: WebhookFolder; webhooks: Webhook[]; unreadable: number }> {
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    const webhooks = notes.flatMap(({ id, text }) => parseWebhook(id, text) ?? []);
    webhooks.sort((a, b) => a.createdAt - b.createdAt);
    const unreadable = notes.length - webhooks.length;
    return { folder: new WebhookFolder(folder), webhooks, unreadable };
  }

  /** Makes or replaces. Durable once resolved. @throws full; unavailable. */
  write(webhook: Webhook): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...webhook });
    return this.#folder.write({ id: webhook.id, text });
  }

  /** Calm when it is not there. Durable once resolved. */
  delete(id: string): Promise<void> {
    return this.#folder.delete(id);
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
