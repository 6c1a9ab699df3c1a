/** What the operator can tell the webhooks. */
import { flag, setting, slice } from '../platform/index.ts';

export const webhookSlice = slice({
  settings: {
    allowPrivate: setting<boolean>({
      key: 'webhooks.allow_private', default: false, parse: flag,
      docs: 'Whether webhooks may be sent to addresses inside a network (private, loopback, '
        + 'link-local). Anybody with an account can then make the server send requests there.',
    }),
  },
});
