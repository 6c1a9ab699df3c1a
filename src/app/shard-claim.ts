/** Whose database a shard has: what is wrong with it is said to whoever looks after shards. */
import { HoldfastError } from '../base/errors.ts';

const WORDS: Readonly<Record<string, { adding: string; opening: string }>> = {
  'database-of-another': {
    adding: 'This database belongs to another installation of Holdfast. Name an empty one.',
    opening: 'The database at the address of this shard belongs to another installation of '
      + 'Holdfast. Has the address come to lead elsewhere, or was a wrong backup restored? Put '
      + 'back the database that was there.',
  },
  'database-unmarked': {
    adding: 'This database has tables of Holdfast, and none that says whose it is. Name an empty '
      + 'one.',
    opening: 'The database at the address of this shard was restored in part: nothing in it says '
      + 'whose it is. Restore it as a whole.',
  },
  'database-empty': {
    adding: 'This database is empty.',
    opening: 'The database at the address of this shard is empty, and tenants have files there. '
      + 'Has the address come to lead elsewhere? Put back the database that was there, from a '
      + 'backup if need be.',
  },
};

/** In the words of shards. `mayTake`: it is being added. @throws what `claim` throws. */
export async function inWordsOfShards<T>(
  claim: () => Promise<T>, { mayTake }: { mayTake: boolean },
): Promise<T> {
  try {
    return await claim();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const words = WORDS[error.code ?? ''];
    if (words === undefined) throw error;
    const message = `${mayTake ? words.adding : words.opening} Nothing was changed.`;
    throw new HoldfastError(error.kind, 'app/shards', message, {
      ...(error.code !== undefined && { code: error.code }), cause: error,
    });
  }
}
