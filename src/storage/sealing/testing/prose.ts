/** Lines of text that are alike and never the same: zstd makes them much smaller. */
export function prose(sizeBytes: number, seed = 0): Buffer {
  const lines: string[] = [`seed ${seed}\n`];
  for (let at = seed, length = 0; length < sizeBytes; at++) {
    const word = (at * 7919) % 1013;
    const line = `${at}: the ${word}th word of line ${(at * 31) % 97} is ${at ** 2}.\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, sizeBytes);
}
