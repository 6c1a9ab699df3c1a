/** For tests that interrupt a transfer: somebody with files, a share and a link, and the order. */
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { MetadataStore } from '../../metadata/index.ts';
import { anna, ben, callerNamed, carl, pathOf, ShareSite } from '../testing/share-site.ts';
import { TransferService } from './transfer-service.ts';
import type { TransferReport } from './transfer-service.ts';

const admin = { ...callerNamed('root'), admin: true };

export class TransferWork {
  readonly site: ShareSite;
  readonly transfers: TransferService;
  readonly anna = anna;
  readonly ben = ben;
  readonly carl = carl;

  private constructor(site: ShareSite) {
    this.site = site;
    this.transfers = new TransferService({
      metadata: site.metadata, spaces: site.spaces, now: () => site.now,
      accounts: { find: async () => ({ disabled: false, tenant: DEFAULT_TENANT }) },
    });
  }

  static on(metadata: MetadataStore): TransferWork {
    return new TransferWork(new ShareSite({ metadata }));
  }

  /** Answers the token of a link to `work`. */
  async build(): Promise<string> {
    const { site } = this;
    await site.folder(anna, 'work');
    await site.write(anna, 'work/one.txt', 'one');
    await site.write(anna, 'diary.txt', 'dear diary');
    await site.grant(anna, 'work', 'carl', 'viewer');
    await site.names(carl);
    await site.names(ben);
    const { terms } = await site.sharing.share(anna, pathOf('work'), {
      receiver: { kind: 'link' }, role: 'viewer',
    });
    return terms.token ?? '';
  }

  transfer(): Promise<TransferReport> {
    const order = { from: parseUserId('anna'), to: { user: parseUserId('ben') }, folder: [] };
    return this.transfers.transfer(admin, order);
  }

  close(): Promise<void> {
    return this.site.metadata.close();
  }
}
