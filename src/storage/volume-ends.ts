/** When a volume is finished and the next one begun, unless the operator says otherwise. */
export const VOLUME_ENDS = {
  sizeBytes: 1024 ** 3,
  ageMs: 7 * 24 * 60 * 60 * 1000,
} as const;
