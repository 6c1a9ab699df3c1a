/** A QR code, drawn from its squares. It keeps its own colours: cameras want dark on light. */
import type { ReactNode } from 'react';
import { encode } from 'uqr';

export interface QrCodeProps {
  readonly text: string;
  /** What it is for, for who cannot see it. */
  readonly label: string;
}

/** Light squares around it, without which cameras do not find it (ISO/IEC 18004). */
const QUIET = 4;

export function QrCode({ text, label }: QrCodeProps): ReactNode {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  const path = data.flatMap((row, y) => row.map((isDark, x) => (
    isDark ? `M${x} ${y}h1v1h-1z` : ''
  ))).join('');
  return (
    <svg
      className="hf-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
