/**
 * The order in which servers are measured. Round-robin, each round beginning with another server:
 * a machine that gets slower over the minutes, or a disk that is busy after one server's writes,
 * then hits all of them alike.
 */
export function roundOrder<T>(servers: readonly T[], round: number): T[] {
  const shift = servers.length === 0 ? 0 : round % servers.length;
  return [...servers.slice(shift), ...servers.slice(0, shift)];
}
