/** What a store of objects needs of a service, whatever protocol that speaks. */
import type { ListPage } from './s3-answers.ts';
import type { ByteSpan, Call, ObjectBytes, ObjectFacts, PutObject } from './s3-client.ts';
import type { ObjectStoreOptions } from './s3-options.ts';

/** The requests, signed, tried again when that helps, and explained when they fail. A service that
 *  cannot be asked is `unavailable`; only its own word makes an object absent. */
export interface ObjectClient {
  put(object: PutObject, call: Call): Promise<boolean>;
  head(key: string, call: Call): Promise<ObjectFacts | undefined>;
  get(
    key: string, span: ByteSpan | undefined, call: Call,
  ): Promise<ObjectBytes | 'absent' | 'outside'>;
  list(prefix: string, after: string | undefined, call: Call): Promise<ListPage>;
  /** Removes an object; calm when there is none. Tried once only: after an error it may happen
   *  still, as long as the service takes the signature, and more tries would be more of those. */
  delete(key: string, call: Call): Promise<void>;
  close(): void;
}

/** What the store itself wants to know; the rest is for the client. */
export type StoreSettings = Omit<
  ObjectStoreOptions, 'bucket' | 'credentials' | 'ca' | 'allowPlainHttp'
>;
