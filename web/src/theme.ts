import { createTheme } from '@mantine/core';

/** Colours are in `parts/tokens.css`: the content policy refuses styles that a script writes. */
export const THEME = createTheme({
  primaryColor: 'teal',
  primaryShade: 6,
  defaultRadius: 'md',
  fontFamily: 'var(--hf-font)',
  cursorType: 'pointer',
  respectReducedMotion: true,
});
