import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testWebhookStore } from './webhook-store.conformance.ts';
import { FolderWebhookStore } from './folder-webhook-store.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-webhook-store-'));
const folder = join(root, 'webhooks');
after(() => rmSync(root, { recursive: true }));

testWebhookStore('FolderWebhookStore', () => FolderWebhookStore.open(folder),
  async () => rmSync(folder, { recursive: true, force: true }));
