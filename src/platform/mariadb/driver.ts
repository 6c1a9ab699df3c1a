/**
 * The driver of the protocol, loaded with the first session: it takes 3 MB of heap and 27 of memory
 * (measured alone), of which an installation whose metadata is in files has no use.
 */
import type mysql from 'mysql2/promise';

export interface Driver {
  readonly createConnection: typeof mysql.createConnection;
  /** A whole number as such: left alone, the driver would make a floating one of it. */
  readonly toInteger: typeof mysql.TypedParameter.LONGLONG;
}

let loading: Promise<Driver> | undefined;

/** The same one each time. */
export function loadDriver(): Promise<Driver> {
  return loading ??= load();
}

async function load(): Promise<Driver> {
  const { default: { createConnection, TypedParameter } } = await import('mysql2/promise');
  // Taken once: the driver looks for the file each time that it is asked.
  return { createConnection, toInteger: TypedParameter.LONGLONG };
}
