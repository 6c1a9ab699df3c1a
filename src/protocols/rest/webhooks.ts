/** Webhooks: what changes is sent to an address of one's own. */
import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import type { Delivery, Webhook, Webhooks } from '../../webhooks/index.ts';
import { Id, Instant, oneOfWords, shape } from '../../wire/shapes.ts';
import type { Resource } from './operation.ts';
import { checkScope } from './rest-auth.ts';
import type { RestParts } from './rest-parts.ts';

const TAG = 'webhooks';
const KINDS = ['added', 'changed', 'moved', 'removed'] as const;

const DeliveryShape = shape({
  id: Id, at: Instant, tries: Type.Integer(),
  trouble: Type.String({ description: 'Why the last try failed; "" before the first.' }),
}, { $id: 'WebhookDelivery', description: 'One message.' });

const WebhookShape = shape({
  id: Id, url: Type.String(), label: Type.String(), createdAt: Instant,
  state: oneOfWords(['active', 'failing'], 'failing: so many messages were given up one after the '
    + 'other that no more are tried, until one of them is sent again.'),
  path: Type.String({ description: 'Only what is at or below it is told; "" for all.' }),
  kinds: Type.Array(oneOfWords(KINDS), { description: 'Only these are told; empty for all.' }),
  pending: Type.Optional(DeliveryShape),
  dead: Type.Array(DeliveryShape, { description: 'Given up; the newest 50.' }),
}, { $id: 'Webhook' });

const WebhooksShape = shape({ items: Type.Array(WebhookShape) }, { $id: 'Webhooks' });

const NewWebhook = shape({
  url: Type.String({ minLength: 8, maxLength: 2_000 }),
  secret: Type.String({
    minLength: 16, maxLength: 200,
    description: 'Signs each message: the header Holdfast-Signature is t=<seconds>,v1=<hex>, an '
      + 'HMAC-SHA256 over the seconds, a dot and the body. It is never shown again.',
  }),
  label: Type.Optional(Type.String({ maxLength: 100 })),
  path: Type.Optional(Type.String({ maxLength: 4_000 })),
  kinds: Type.Optional(Type.Array(oneOfWords(KINDS), { maxItems: KINDS.length })),
}, { $id: 'NewWebhook' });

const ById = shape({ id: Id });
const ByDelivery = shape({ id: Id, delivery: Id });

function deliveryAnswer({ id, at, tries, trouble }: Delivery) {
  return { id, at: new Date(at).toISOString(), tries, trouble };
}

function webhookAnswer({ id, url, label, createdAt, state, filter, pending, dead }: Webhook) {
  return {
    id, url, label, createdAt: new Date(createdAt).toISOString(), state, path: filter.path,
    kinds: [...filter.kinds], dead: dead.map(deliveryAnswer),
    ...(pending !== undefined && { pending: deliveryAnswer(pending) }),
  };
}

export const webhooksResource: Resource<RestParts> = (api, parts) => {
  const all = (): Webhooks => {
    const webhooks = parts.webhooks?.();
    if (webhooks !== undefined) return webhooks;
    const message = 'Webhooks are not ready. Try again in a moment.';
    throw new HoldfastError('unavailable', 'rest/webhooks', message);
  };
  api.operation({
    id: 'listWebhooks', tag: TAG, method: 'GET', path: '/webhooks', scope: 'account',
    summary: 'The own webhooks', refusals: [503],
    success: { status: 200, description: 'Oldest first.', schema: WebhooksShape },
    answer: async ({ caller }) => ({
      body: { items: (await all().list(caller.user)).map(webhookAnswer) },
    }),
  });
  api.operation({
    id: 'addWebhook', tag: TAG, method: 'POST', path: '/webhooks', scope: 'account',
    summary: 'Have changes sent to an address',
    description: 'From now on what changes for whoever asks is sent there, as by GET /changes. '
      + 'Addresses inside a network are refused unless the operator allows them. A token needs the '
      + 'scope files:read too.',
    body: NewWebhook, refusals: [413, 503],
    success: { status: 201, description: 'It was added.', schema: WebhookShape },
    async answer({ body, ...asking }) {
      checkScope(asking, { scope: 'files:read' }); // It tells names of files from now on.
      return { body: webhookAnswer(await all().add(asking.caller, body)) };
    },
  });
  api.operation({
    id: 'removeWebhook', tag: TAG, method: 'DELETE', path: '/webhooks/{id}', scope: 'account',
    summary: 'Send nothing more there', params: ById, refusals: [503],
    success: { status: 204, description: 'It is gone, with all that was not sent.' },
    async answer({ caller, params }) {
      await all().remove(caller.user, params.id);
      return {};
    },
  });
  api.operation({
    id: 'resendWebhookDelivery', tag: TAG, method: 'POST', scope: 'account',
    path: '/webhooks/{id}/deliveries/{delivery}/resend',
    summary: 'Send a message again that was given up', params: ByDelivery, refusals: [503],
    success: { status: 202, description: 'It will be sent.' },
    async answer({ caller, params }) {
      await all().resend(caller.user, params.id, params.delivery);
      return {};
    },
  });
};
