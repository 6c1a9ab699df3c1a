import type { Work } from './statement.ts';

/** A database that runs the work of the identity store. Its errors are HoldfastErrors. */
export interface IdentityDatabase {
  /** Names the store in errors, for example `SqliteIdentityStore`. */
  readonly name: string;

  /** Runs work that changes nothing, and asks once at most: so it needs no transaction.
   *  May throw instead of rejecting. @throws unavailable: closed. */
  read<T>(method: string, begin: () => Work<T>): T | Promise<T>;

  /** Runs work as one transaction; if it throws, nothing of it happens. Durable once resolved.
   *  May throw instead of rejecting. @throws unavailable: closed. */
  write<T>(method: string, begin: () => Work<T>): T | Promise<T>;

  /** See IdentityStore. */
  changeMark(): number | Promise<number>;

  close(): void | Promise<void>;
}
