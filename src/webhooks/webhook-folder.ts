/** The files of webhooks, one for each: docs/formats/webhooks.md. */
import { mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { WEBHOOKS_MAX } from './webhook.ts';
import type { Webhook } from './webhook.ts';

const FORMAT = 1;
const ID = '[A-Za-z0-9_-]{8,40}';
const NAME = new RegExp(`^(${ID})\\.json$`);
const DRAFT = new RegExp(`^${ID}\\.json\\.draft$`);

export class WebhookFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads all, oldest first. What cannot be read is left as it is, and counted.
   *  @throws unavailable. */
  static async open(
    path: string,
  ): Promise<{ folder: WebhookFolder; webhooks: Webhook[]; unreadable: number }> {
    const webhooks: Webhook[] = [];
    let unreadable = 0;
    await explained(async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      for (const name of (await readdir(path)).slice(0, WEBHOOKS_MAX * 2)) {
        if (DRAFT.test(name)) await unlink(join(path, name)); // Nobody was told that it is there.
        const [, id] = NAME.exec(name) ?? [];
        if (id === undefined) continue;
        const webhook = parseWebhook(id, await readFile(join(path, name), 'utf8'));
        if (webhook === undefined) unreadable += 1;
        else webhooks.push(webhook);
      }
    });
    webhooks.sort((a, b) => a.createdAt - b.createdAt);
    return { folder: new WebhookFolder(path), webhooks, unreadable };
  }

  /** Makes or replaces. Durable once resolved. @throws unavailable. */
  async write(webhook: Webhook): Promise<void> {
    const target = join(this.#path, `${webhook.id}.json`);
    await explained(async () => {
      const file = await open(`${target}.draft`, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify({ format: FORMAT, ...webhook }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${target}.draft`, target);
      await this.#sync();
    });
  }

  /** Calm when it is not there. Durable once resolved. */
  async delete(id: string): Promise<void> {
    await explained(async () => {
      await unlink(join(this.#path, `${id}.json`)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
      await this.#sync();
    });
  }

  async #sync(): Promise<void> {
    const directory = await open(this.#path, 'r');
    await directory.sync().finally(() => directory.close());
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

async function explained(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const message = 'Webhooks cannot be read or written. Is the disk full or away?';
    throw new HoldfastError('unavailable', 'webhooks/WebhookFolder', message, { cause });
  }
}
