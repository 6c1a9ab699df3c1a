/** The door of webhooks. */
export { systemResolve } from './addresses.ts';
export { FolderWebhookStore } from './folder-webhook-store.ts';
export { webhookSlice } from './settings.ts';
export { Webhooks } from './webhooks.ts';
export type { WebhookStore } from './webhook-store.ts';
export type { Delivery, Webhook, WebhookFilter, WebhookWishes } from './webhook.ts';
