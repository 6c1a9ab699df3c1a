import { testMailer } from '../../mailer.conformance.ts';
import { MemoryMailer } from './memory-mailer.ts';

testMailer('MemoryMailer', async () => {
  const mailer = new MemoryMailer();
  return {
    mailer, taken: () => mailer.sent.map(({ to, subject }) => ({ to, subject })),
    close: async () => undefined,
  };
});
